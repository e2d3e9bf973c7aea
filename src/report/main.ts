/** The program of a report's HTML file: draws the page from the data that lies beside it. */
import { element } from "./element.js";
import { DATA_ELEMENT_ID, PAGE_ELEMENT_ID, type ReportPage, type ReportSection } from "./reportPage.js";
import { adviceSection } from "./sections/advice.js";
import { components } from "./sections/components.js";
import { configSection } from "./sections/config.js";
import { distributions } from "./sections/distributions.js";
import { evaluationAnswer } from "./sections/evaluationAnswer.js";
import { loadCurves } from "./sections/loadCurves.js";
import { loadDistributions } from "./sections/loadDistributions.js";
import { loadSteps } from "./sections/loadSteps.js";
import { planAnswer } from "./sections/planAnswer.js";
import { planChecks } from "./sections/planChecks.js";
import { planCosts } from "./sections/planCosts.js";
import { planRates } from "./sections/planRates.js";
import { planTable } from "./sections/planTable.js";
import { runAnswer } from "./sections/runAnswer.js";
import { scatter } from "./sections/scatter.js";
import { sweepAnswer } from "./sections/sweepAnswer.js";
import { sweepPoints } from "./sections/sweepPoints.js";
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
    case "sweep-answer":
      return sweepAnswer(data);
    case "load-curves":
      return loadCurves(data);
    case "load-distributions":
      return loadDistributions(data);
    case "load-steps":
      return loadSteps(data);
    case "sweep-points":
      return sweepPoints(data);
    case "plan-answer":
      return planAnswer(data);
    case "plan-costs":
      return planCosts(data);
    case "plan-rates":
      return planRates(data);
    case "plan-checks":
      return planChecks(data);
    case "plan-table":
      return planTable(data);
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
