/** What stands in an element: other elements, text, or nothing. */
export type Content = Node | string | null;

/** An element with attributes and children; text is never read as HTML. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Content[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A section of the page under a heading, to be linked to. */
export function section(id: string, heading: string, ...children: readonly Content[]): HTMLElement {
  const headingId = `${id}-heading`;
  return element(
    "section",
    { id, "aria-labelledby": headingId },
    element("h2", { id: headingId }, heading),
    ...children,
  );
}
