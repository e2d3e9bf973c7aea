import type { RequestSink } from "../../core/engine/runResult.js";
import type { RequestRecord } from "../../core/metrics/requestRecord.js";
import type { RequestSpec } from "../../core/request/requestSpec.js";
import { AtomicFile } from "./atomicFile.js";
import { jsonLine, REQUEST_CSV_HEADER, RequestTable, requestCsvLine } from "./requestTable.js";

/**
 * Writes the table of requests while the run goes, row by row, and keeps none of them. The file appears when the run has
 * ended well; until then, and when it failed, there is the old one or none.
 */
export class RequestWriter implements RequestSink {
  readonly file: string;
  readonly #isCsv: boolean;
  readonly #table: RequestTable;
  #output: AtomicFile | null = null;

  /**
   * @param file ends in .csv, or JSON lines are written
   * @param run label of the run, the same in every row
   */
  constructor(file: string, run: string) {
    this.file = file;
    this.#isCsv = file.endsWith(".csv");
    this.#table = new RequestTable(run);
  }

  add(record: RequestRecord, spec: RequestSpec): void {
    const row = this.#table.row(record, spec);
    this.#open().write(this.#isCsv ? requestCsvLine(row) : jsonLine(row));
  }

  /**
   * Lets a run hand its requests on and puts the file in its place.
   * @throws DataFileError when it cannot be written, and whatever `run` throws
   */
  during<T>(run: () => T): T {
    try {
      const result = run();
      this.#open().commit();
      return result;
    } catch (error) {
      this.#output?.discard();
      throw error;
    }
  }

  /** Not before there is something to write: a run that cannot begin leaves no trace. */
  #open(): AtomicFile {
    if (this.#output !== null) return this.#output;
    this.#output = new AtomicFile(this.file);
    if (this.#isCsv) this.#output.write(REQUEST_CSV_HEADER);
    return this.#output;
  }
}
