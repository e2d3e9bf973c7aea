import { readTable, numberIn } from "/work/main/eval/kernels/readTable.ts";
import { cleanRows, isHeldOut, mapePercent } from "/work/main/eval/kernels/fitRows.ts";
import { fitGemm, gemmPredictor, isGemmResident } from "/work/main/eval/kernels/fitGemm.ts";
const R={ 'h100_sxm':[3.35e6,989.5e6,1979e6,132,50e6,450e3],'a100_sxm':[2.039e6,312e6,312e6,108,40e6,300e3],'l40s':[.864e6,362e6,733e6,142,96e6,32e3]} as any;
for (const [g,v,dt] of [['h100_sxm','0.14.0','bfloat16'],['a100_sxm','0.14.0','bfloat16'],['l40s','0.14.0','bfloat16'],['h100_sxm','0.14.0','fp8']]) {
  const r=R[g!]; const roofs={bytesPerUs:r[0],bf16FlopsPerUs:r[1],fp8FlopsPerUs:r[2],numSms:r[3],linkBytesPerUs:r[5]};
  const dtype=dt==='fp8'?'fp8':'bf16';
  const t=(await readTable("/work/shared/kernel_data/aiconfigurator",`${g}/gemm/vllm/${v}/gemm_perf.parquet`)).filter(x=>x.gemm_dtype===dt);
  const rows=cleanRows(t.map(x=>({dims:[x.m,x.n,x.k] as number[],us:numberIn(x,'latency')*1e3,shapeKey:`${x.n}x${x.k}`})),[0]);
  const t0=Date.now();
  const fit=fitGemm(rows,roofs,r[4],dtype as any); 
  const half=fitGemm(rows.filter(x=>!isHeldOut(x.shapeKey)),roofs,r[4],dtype as any);
  const st=rows.filter(x=>!isGemmResident(x,roofs,r[4],dtype as any));
  const p=gemmPredictor(fit,roofs,dtype as any), ph=gemmPredictor(half,roofs,dtype as any), pb=gemmPredictor({...fit,surface:null},roofs,dtype as any);
  console.log(g,dt,rows.length,st.length,fit.launchUs,fit.memoryEfficiency,fit.computeEfficiency,'base',mapePercent(st,pb).toFixed(2),'fit',mapePercent(st,p).toFixed(2),'all',mapePercent(rows,p).toFixed(2),'heldout',mapePercent(st.filter(x=>isHeldOut(x.shapeKey)),ph).toFixed(2),Date.now()-t0,'ms');
  for (const [lo,hi] of [[1,1],[2,16],[17,64],[65,128],[129,256],[257,512],[513,1024],[1025,9999]]) {const q=st.filter(x=>x.dims[0]!>=lo!&&x.dims[0]!<=hi!); process.stdout.write(`m${lo}-${hi}: ${mapePercent(q,p).toFixed(1)}  `)}
  console.log();
  for (const [lo,hi] of [[0,.5],[.5,4],[4,16],[16,64],[64,256],[256,9999]]) {const q=st.filter(x=>x.dims[1]!*x.dims[2]!*2/1e6>=lo!&&x.dims[1]!*x.dims[2]!*2/1e6<hi!); process.stdout.write(`W${lo}-${hi}MB: ${mapePercent(q,p).toFixed(1)} (${q.length}) `)}
  console.log();
}
