/** The program of a report's HTML file: draws the page from the data that lies beside it. */
import { element } from "./element.js";
import { DATA_ELEMENT_ID, PAGE_ELEMENT_ID, type ReportPage, type ReportSection } from "./reportPage.js";
import { adviceSection } from "./sections/advice.js";
import { components } from "./sections/components.js";
import { configSection } from "./sections/config.js";
import { distributions } from "./sections/distributions.js";
import { evaluationAnswer } from "./sections/evaluationAnswer.js";
import { runAnswer } from "./sections/runAnswer.js";
import { scatter } from "./sections/scatter.js";
import { timeline } from "./sections/timeline.js";
import { twoWorlds } from "./sections/twoWorlds.js";
import { waterfall } from "./sections/waterfall.js";

function sectionElement(data: ReportSection): HTMLElement {
  switch (data.kind) {
    case "run-answer":
      return runAnswer(data);
    case "distributions":
      return distributions(data);
    case "timeline":
      return timeline(data);
    case "components":
      return components(data);
    case "advice":
      return adviceSection(data);
    case "waterfall":
      return waterfall(data);
    case "config":
      return configSection(data);
    case "evaluation-answer":
      return evaluationAnswer(data);
    case "scatter":
      return scatter(data);
    case "two-worlds":
      return twoWorlds(data);
  }
}

function draw({ title, subtitle, version, sections }: ReportPage): void {
  const drawn = sections.map(sectionElement);
  const links = drawn.map((one) =>
    element("li", {}, element("a", { href: `#${one.id}` }, one.querySelector("h2")?.textContent ?? one.id)),
  );
  document
    .getElementById(PAGE_ELEMENT_ID)
    ?.replaceChildren(
      element(
        "header",
        {},
        element("p", { class: "eyebrow" }, `roofserve ${version} · simulated`),
        element("h1", {}, title),
        element("p", { class: "subtitle" }, subtitle),
        element("nav", { "aria-label": "Sections" }, element("ul", {}, ...links)),
      ),
      element("main", {}, ...drawn),
    );
}

draw(JSON.parse(document.getElementById(DATA_ELEMENT_ID)?.textContent ?? "") as ReportPage);
