/** What all plots have in common; page.css does the rest. */
export const PLOT_STYLE = {
  style: {
    fontFamily: "inherit",
    fontSize: "12px",
    background: "transparent",
    overflow: "visible",
    color: "var(--muted)",
  },
} as const;

/** Width of a letter of a label, about. */
export const LETTER_PX = 7.2;

/** Makes a label readable where lines run behind it. */
export const HALO = { stroke: "var(--page)", strokeWidth: 5 } as const;

/** A tooltip in the page's colours. */
export const TIP = { fill: "var(--surface)", stroke: "var(--hairline)", fontSize: 12, lineHeight: 1.25 } as const;
