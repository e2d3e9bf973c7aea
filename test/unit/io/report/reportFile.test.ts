import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { reportHtml } from "../../../../src/io/report/reportFile.js";
import type { ReportPage } from "../../../../src/report/reportPage.js";

const HOSTILE = '</script><script>alert(1)</script><!-- & "quoted"';

function page(title: string): ReportPage {
  return {
    schema: "roofserve.report/1",
    version: "0.1.0",
    title,
    subtitle: title,
    sections: [{ kind: "config", config: { model: title, rate: Number.NaN }, says: title, notes: [title] }],
  };
}

const built = { program: "const a = 1 < 2;", style: ".a { color: red }" };

describe("the HTML of a report", () => {
  const html = reportHtml(page(HOSTILE), built);

  it("ends no element by what a name says", () => {
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expect(html).not.toContain("<!--");
    expect(html).toContain("<title>&lt;/script&gt;");
  });

  it("holds the page's data as JSON that reads back, what is no number as null", () => {
    const [, data] = /<script type="application\/json" id="report-data">(.*?)<\/script>/s.exec(html)!;
    const { sections } = page(HOSTILE);
    expect(JSON.parse(data!)).toEqual({
      ...page(HOSTILE),
      sections: [{ ...sections[0], config: { model: HOSTILE, rate: null } }],
    });
  });

  it("lets run the program that it holds, and no other; nothing may be fetched", () => {
    const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)!;
    const hash = createHash("sha256").update(built.program).digest("base64");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'sha256-${hash}';`);
    expect(html).toContain(`<script>${built.program}</script>`);
    expect(html).not.toMatch(/\son\w+="|(?:src|href)="(?!data:)/);
  });

  it("is the same for the same page", () => {
    expect(reportHtml(page("a"), built)).toBe(reportHtml(page("a"), built));
    expect(reportHtml(page("a"), built)).not.toBe(reportHtml(page("b"), built));
  });
});
