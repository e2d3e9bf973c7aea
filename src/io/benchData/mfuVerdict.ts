import type { GpuSpec } from "../../core/hardware/gpuSpec.js";
import type { CheckFinding } from "./benchDataCheck.js";
import type { MfuFinding } from "./mfuPeak.js";
import { dtypeOfName, type ParsedRow } from "./parseTable.js";
import { formatTflops, type KnownPeak, peakLabel } from "./peaks.js";
import type { BenchFamily } from "./tableFamily.js";
import { fasterDtype } from "./undeclaredDtype.js";

/** What to say about an MFU column of rows of one element type measured on `gpu`. */
export function mfuVerdicts(
  finding: MfuFinding,
  rows: readonly ParsedRow[],
  family: BenchFamily,
  gpu: GpuSpec | null,
): CheckFinding[] {
  return [
    ...peakVerdict(finding, rows, family, gpu),
    ...aboveOneVerdict(finding),
    ...disagreementVerdict(finding),
    ...roundingVerdict(finding),
  ];
}

function peakVerdict(
  finding: MfuFinding,
  rows: readonly ParsedRow[],
  family: BenchFamily,
  gpu: GpuSpec | null,
): CheckFinding[] {
  const { column, peak, convention, agreement, impliedFlopsPerS } = finding;
  const say = (severity: CheckFinding["severity"], message: string): CheckFinding[] => [
    { severity, kind: "mfu-peak", message: `${column}: ${message}`, rows: [] },
  ];
  if (peak === null) {
    if (Number.isNaN(impliedFlopsPerS)) return [];
    return say("warning", `was divided by about ${formatTflops(impliedFlopsPerS)}, which is no known GPU's peak`);
  }
  const label = peakLabel(peak, gpu?.id ?? null);
  const how =
    agreement > 0 ? `${Math.round(agreement * 100)} % of rows agree, FLOPs counted as ${convention}` : convention;
  if (gpu === null) return say("note", `was divided by the peak of ${label} (${how})`);
  const dtype = kernelDtype(rows, family, gpu);
  const ownPeak = (dtype === "fp8" ? gpu.compute.fp8FlopsPerS : null) ?? gpu.compute.bf16FlopsPerS;
  const owner = peak.owners.find(({ gpuId }) => gpuId === gpu.id);
  const factor = Number((ownPeak / peak.flopsPerS).toPrecision(3));
  if (owner === undefined) {
    const also = othersText(finding);
    return say(
      "error",
      `was divided by the peak of ${label}, not of ${gpu.id} (${how}${also}): values are ${factor}× those against ` +
        `${gpu.id} ${dtype} (${formatTflops(ownPeak)})`,
    );
  }
  if (Math.abs(factor - 1) > 0.01) {
    return say(
      "error",
      `compares ${dtype} kernels with ${gpu.id}'s ${owner.dtype} peak (${how}): values are ${factor}× those against ` +
        `its ${dtype} peak (${formatTflops(ownPeak)})`,
    );
  }
  return say("note", `was divided by the peak of ${label}${othersText(finding)} (${how})`);
}

function othersText({ alternatives }: MfuFinding): string {
  if (alternatives.length === 0) return "";
  return `, which does not exclude ${alternatives.map((peak: KnownPeak) => peakLabel(peak, null)).join(", ")}`;
}

/** What the tensor cores computed in: KV and weight dtypes below 16 bit run there only as fp8 GEMMs. */
function kernelDtype(rows: readonly ParsedRow[], family: BenchFamily, gpu: GpuSpec): "bf16" | "fp8" {
  const declared = rows[0]?.texts.dtype;
  if (declared !== undefined) return dtypeOfName(declared) === "fp8" ? "fp8" : "bf16";
  if (family.endsWith("/logits")) return "fp8";
  return fasterDtype(family, rows, gpu);
}

function aboveOneVerdict({ column, maxMfu }: MfuFinding): CheckFinding[] {
  if (maxMfu <= 1) return [];
  return [
    {
      severity: "error",
      kind: "mfu-above-one",
      message: `${column}: reaches ${maxMfu}; no kernel exceeds its peak, so the divisor is wrong`,
      rows: [],
    },
  ];
}

function disagreementVerdict({ column, disagreeing }: MfuFinding): CheckFinding[] {
  const [first] = disagreeing;
  if (first === undefined) return [];
  const ratio = first.printed / first.computed;
  const isLastDigit = ratio > 0.98 && ratio < 1.02;
  return [
    {
      severity: isLastDigit ? "note" : "warning",
      kind: "mfu-disagrees",
      message:
        `${column}: ${disagreeing.length} rows do not follow from their latency, most row ${first.row}: ` +
        `prints ${first.printed}, its latency gives ${Number(first.computed.toPrecision(4))}; one of the two is wrong`,
      rows: disagreeing.map(({ row }) => row),
    },
  ];
}

function roundingVerdict({ column, numZero, numRows, decimals }: MfuFinding): CheckFinding[] {
  if (numZero === 0) return [];
  return [
    {
      severity: "warning",
      kind: "mfu-rounding",
      message: `${column}: ${numZero} of ${numRows} values are rounded to 0 at ${decimals} decimals; dividing by them fails`,
      rows: [],
    },
  ];
}
