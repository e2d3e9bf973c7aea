import * as z from "zod";
import { VLLM_VERSIONS } from "../../config/vllmVersion.js";

export const CALIBRATION_SCHEMA_ID = "roofserve.calibration/1";

/** Built when a file is read, since few runs read one. */
function buildSchema() {
  const us = z.number();
  const percent = z.number().min(0).nullable();

  const termSchema = z.strictObject({
    value: us.describe("what is used"),
    fitted: us.describe("where the run puts it, used or not; the built-in value where the run says nothing"),
    standardError: us.min(0).describe("of `fitted`, by the posterior: noise of the run, spread of kernel times, prior"),
    low80: us.describe("80 % interval about `fitted`"),
    high80: us,
    start: us.describe("the built-in value"),
    identifiable: z.boolean(),
    status: z.enum(["fitted", "agrees", "not identifiable"]),
  });

  const residualSchema = z.strictObject({
    value: us.describe("0 unless kept"),
    fitted: us,
    standardError: us.min(0),
    low80: us,
    high80: us,
    kept: z.boolean(),
    reason: z.string().nullable().describe("why it was not kept"),
  });

  const errorsSchema = z.strictObject({
    numRequests: z.number().int().min(0),
    e2eMape: percent,
    ttftMape: percent,
    itlMape: percent,
  });
  const beforeAfterSchema = z.strictObject({ before: errorsSchema, after: errorsSchema });
  return z.strictObject({
    schema: z.literal(CALIBRATION_SCHEMA_ID),
    name: z.string().min(1),
    roofserveVersion: z.string(),
    vllmVersion: z.string().nullable().describe("as the server printed it"),
    simulatedVllmVersion: z.enum(VLLM_VERSIONS),
    asyncScheduling: z.boolean(),
    model: z.string(),
    gpu: z.string(),
    tensorParallelSize: z.number().int().min(1),
    source: z.string().describe("the experiment it was fitted on"),
    runs: z.array(z.string()),
    date: z.string().nullable().describe("when the experiment was measured"),
    seed: z.number().int().min(0).describe("of the draw of validation blocks"),
    terms: z.strictObject({
      frontEndUs: termSchema.extend({ value: us.min(0).max(1e7) }),
      frontEndUsPerPromptToken: termSchema.extend({ value: us.min(0).max(1e5) }),
      stepUs: termSchema.extend({ value: us.min(-1e6).max(1e6) }),
      kernelGapUsPerLayer: termSchema.extend({ value: us.min(0).max(1e5) }),
    }),
    residual: z.strictObject({
      usPerOutputToken: residualSchema.extend({ value: us.min(0).max(1e6) }),
      usPerPromptToken: residualSchema,
      usPerRequest: residualSchema,
    }),
    errors: z.strictObject({ training: beforeAfterSchema, validation: beforeAfterSchema }),
    split: z.strictObject({
      method: z.string(),
      numWarmUp: z.number().int().min(0),
      numTraining: z.number().int().min(0),
      numValidation: z.number().int().min(0),
    }),
    notes: z.array(z.string()),
  });
}

/** A coefficient set as `roofserve calibrate` writes it; µs and percent. */
export const calibrationSchema = z.lazy(buildSchema);

export type Calibration = z.output<typeof calibrationSchema>;
