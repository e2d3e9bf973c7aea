import { readTable, numberIn } from "/work/main/eval/kernels/readTable.ts";
import { cleanRows, isHeldOut, mapePercent } from "/work/main/eval/kernels/fitRows.ts";
import { fitDecodeAttention, decodePredictor, isDecodeResident } from "/work/main/eval/kernels/fitDecodeAttention.ts";
const R={ 'h100_sxm':[3.35e6,989.5e6,1979e6,132,52.4e6,450e3],'a100_sxm':[2.039e6,312e6,312e6,108,41.9e6,300e3],'l40s':[.864e6,362e6,733e6,142,100.7e6,32e3],'h200_sxm':[4.8e6,989.5e6,1979e6,132,62.9e6,450e3],'b200_sxm':[8e6,2250e6,4500e6,148,132e6,900e3]} as any;
for (const [g,v,dt] of [['h100_sxm','0.14.0','bfloat16'],['h100_sxm','0.14.0','fp8'],['a100_sxm','0.14.0','bfloat16'],['l40s','0.14.0','bfloat16'],['l40s','0.24.0','bfloat16'],['h200_sxm','0.14.0','bfloat16'],['b200_sxm','0.19.0','bfloat16']]) {
  const r=R[g!]; const roofs={bytesPerUs:r[0],bf16FlopsPerUs:r[1],fp8FlopsPerUs:r[2],numSms:r[3],linkBytesPerUs:r[5]};
  const dtype=dt==='fp8'?'fp8':'bf16' as any;
  const t=(await readTable("/work/shared/kernel_data/aiconfigurator",`${g}/attention/vllm/${v}/generation_attention_perf.parquet`)).filter(x=>x.kv_cache_dtype===dt&&x.head_dim===128&&(x.window_size??0)===0);
  const raw=t.map(x=>({dims:[x.batch_size,(x.step as number)+1,x.num_heads,x.num_key_value_heads] as number[],us:numberIn(x,'latency')*1e3,shapeKey:`${x.num_heads}x${x.num_key_value_heads}`}));
  const rows=cleanRows(raw,[1,0]);
  const t0=Date.now();
  const fit=fitDecodeAttention(rows,roofs,r[4],dtype); 
  const half=fitDecodeAttention(rows.filter(x=>!isHeldOut(x.shapeKey)),roofs,r[4],dtype);
  const st=rows.filter(x=>!isDecodeResident(x,r[4],dtype));
  const p=decodePredictor(fit,roofs,dtype), ph=decodePredictor(half,roofs,dtype), pb=decodePredictor({...fit,surface:null},roofs,dtype);
  console.log(g,v,dt,raw.length,rows.length,st.length,fit.launchUs,fit.waveUs,fit.memoryEfficiency,'base',mapePercent(st,pb).toFixed(2),'fit',mapePercent(st,p).toFixed(2),'all',mapePercent(rows,p).toFixed(2),'heldout',mapePercent(st.filter(x=>isHeldOut(x.shapeKey)),ph).toFixed(2),'resident',mapePercent(rows.filter(x=>isDecodeResident(x,r[4],dtype)),p).toFixed(1),Date.now()-t0,'ms');
  const mb=(x:any)=>x.dims[0]*x.dims[1]*x.dims[3]*512/1e6;
  for (const [lo,hi] of [[0,2],[2,64],[64,128],[128,256],[256,1024],[1024,99999]]) {const q=st.filter(x=>mb(x)>=lo!&&mb(x)<hi!); process.stdout.write(`KV${lo}-${hi}MB: ${mapePercent(q,p).toFixed(1)} (${q.length})  `)}
  console.log();
  for (const [lo,hi] of [[1,2],[3,32],[33,128],[129,512],[513,2048],[2049,1e9]]) {const q=st.filter(x=>x.dims[0]*x.dims[3]>=lo!&&x.dims[0]*x.dims[3]<=hi!); process.stdout.write(`rows${lo}-${hi}: ${mapePercent(q,p).toFixed(1)} (${q.length})  `)}
  console.log();
}
