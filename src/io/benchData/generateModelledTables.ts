import { join } from "node:path";
import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import type { KernelModel } from "../../core/kernels/kernelModel.js";
import {
  allReduceRowOperator,
  decodeRowOperator,
  gemmRowOperator,
  groupedGemmRowOperator,
  prefillRowOperator,
} from "../../core/kernels/tables/rowOperator.js";
import type { ModelArchitecture } from "../../core/model/modelArchitecture.js";
import type { Operator } from "../../core/model/operator.js";
import { US_PER_S } from "../../core/units/units.js";
import { kernelShapes } from "./modelledShapes.js";
import { folderOfGpu } from "./tableFiles.js";
import { microseconds, type TableText, writeTable } from "./writeTable.js";

const SOURCE = "modelled";
const GEMM_TOKENS = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];
const EXPERT_DECODE_TOKENS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const EXPERT_PREFILL_TOKENS = [1024, 2048, 4096, 8192, 16384];
const PREFILL_LENGTHS = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];
const DECODE_BATCHES = [1, 4, 16, 64, 256];
const DECODE_LENGTHS = [128, 512, 2048, 8192, 32768];
const MAX_DECODE_KV_TOKENS = 2 ** 21;
const RANKS = [2, 4, 8];
const MESSAGE_BYTES = Array.from({ length: 10 }, (_, i) => 1024 * 4 ** i);

/** Everything one table set is priced with. */
interface Generator {
  readonly kernelModel: KernelModel;
  readonly gpu: GpuSpec;
  readonly dtypes: readonly ("bf16" | "fp8")[];
}

/**
 * Writes the tables of one GPU that serving `architectures` at TP 1, 2, 4 and 8 needs, priced by a kernel model and
 * marked `modelled`. MFU is FLOPs / latency / this GPU's dense peak of the row's dtype. Same input, same bytes.
 *
 * @param kernelModel prices of this GPU
 * @returns files written, relative to `outDir`, sorted
 */
export function generateModelledTables(
  kernelModel: KernelModel,
  gpu: GpuSpec,
  outDir: string,
  architectures: readonly ModelArchitecture[],
): string[] {
  const { matrices, heads, experts } = kernelShapes(architectures);
  const generator: Generator = {
    kernelModel,
    gpu,
    dtypes: gpu.compute.fp8FlopsPerS === null ? ["bf16"] : ["bf16", "fp8"],
  };
  const folder = folderOfGpu(gpu.id);
  const tables = new Map<string, TableText>();
  tables.set(`gemm/${folder}/data.csv`, gemmTable(generator, matrices));
  for (const shape of heads) {
    const name = `${shape.numHeads}-${shape.numKvHeads}-${shape.headDim}.csv`;
    tables.set(`mha/prefill/${folder}/${name}`, prefillTable(generator, shape));
    tables.set(`mha/decode/${folder}/${name}`, decodeTable(generator, shape));
  }
  tables.set(
    `grouped_gemm/decode/${folder}/data.csv`,
    expertTable(generator, experts, "batch_size_per_gpu", EXPERT_DECODE_TOKENS),
  );
  tables.set(
    `grouped_gemm/prefill/${folder}/data.csv`,
    expertTable(generator, experts, "seq_len_per_gpu", EXPERT_PREFILL_TOKENS),
  );
  tables.set(`all_reduce/${folder}/data.csv`, allReduceTable(generator));
  const written = [...tables].filter(([, { rows }]) => rows.length > 0);
  for (const [path, table] of written) writeTable(join(outDir, path), table);
  return written.map(([path]) => path).sort();
}

type Shapes = ReturnType<typeof kernelShapes>;

function gemmTable(generator: Generator, matrices: Shapes["matrices"]): TableText {
  const rows = generator.dtypes.flatMap((dtype) =>
    matrices.flatMap(({ k, n }) =>
      GEMM_TOKENS.map((m) => [
        m,
        k,
        n,
        ...priced(generator, gemmRowOperator({ m, k, n, dtype }), dtype),
        dtype,
        SOURCE,
      ]),
    ),
  );
  return { columns: ["m", "k", "n", "latency_us", "mfu", "dtype", "source"], rows };
}

function prefillTable(generator: Generator, heads: Shapes["heads"][number]): TableText {
  const rows = PREFILL_LENGTHS.map((seqLen) => {
    const operator = prefillRowOperator({ ...heads, kvDtype: "bf16", seqLen, contextLen: 0, batchSize: 1 });
    return ["bf16", seqLen, ...priced(generator, operator, "bf16"), SOURCE];
  });
  return { columns: ["dtype", "seq_len", "latency_us", "mfu", "source"], rows };
}

function decodeTable(generator: Generator, heads: Shapes["heads"][number]): TableText {
  const rows = DECODE_BATCHES.flatMap((batchSize) =>
    DECODE_LENGTHS.filter((kvLen) => batchSize * kvLen <= MAX_DECODE_KV_TOKENS).map((kvLen) => {
      const operator = decodeRowOperator({ ...heads, kvDtype: "bf16", batchSize, kvLen });
      return ["bf16", "bf16", batchSize, kvLen, ...priced(generator, operator, "bf16"), SOURCE];
    }),
  );
  return { columns: ["dtype", "kv_dtype", "batch_size", "kv_len", "latency_us", "mfu", "source"], rows };
}

function expertTable(
  generator: Generator,
  experts: Shapes["experts"],
  tokensColumn: string,
  tokenCounts: readonly number[],
): TableText {
  const rows = generator.dtypes.flatMap((dtype) =>
    experts.flatMap((shape) =>
      tokenCounts.map((numTokens) => {
        const { numExperts, numLocalExperts, topK, hiddenSize, intermediateSize } = shape;
        const price = generator.kernelModel.price(groupedGemmRowOperator({ ...shape, numTokens, dtype }));
        const cells = [numExperts, 1, numLocalExperts, topK, hiddenSize, intermediateSize, numTokens];
        return [...cells, microseconds(price.us), dtype, SOURCE];
      }),
    ),
  );
  const shapeColumns = ["num_experts", "num_gpus", "num_local_experts", "topk", "hidden_size", "intermediate_size"];
  return { columns: [...shapeColumns, tokensColumn, "latency_us", "dtype", "source"], rows };
}

function allReduceTable({ kernelModel }: Generator): TableText {
  const rows = RANKS.flatMap((numRanks) =>
    MESSAGE_BYTES.map((messageBytes) => {
      const { us } = kernelModel.price(allReduceRowOperator({ numRanks, messageBytes }));
      return [numRanks, messageBytes, microseconds(us), "bf16", SOURCE];
    }),
  );
  return { columns: ["num_gpus", "message_bytes", "latency_us", "dtype", "source"], rows };
}

/** Cells of latency and MFU. */
function priced({ kernelModel, gpu }: Generator, operator: Operator, dtype: "bf16" | "fp8"): [string, string] {
  const { us } = kernelModel.price(operator);
  const peak = (dtype === "fp8" ? gpu.compute.fp8FlopsPerS : null) ?? gpu.compute.bf16FlopsPerS;
  const mfu = operator.flops / (us / US_PER_S) / peak;
  return [microseconds(us), mfu.toFixed(6)];
}
