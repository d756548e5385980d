/* Sphinx puts this in front of its own search: what a hit is worth. */

var Scorer = {
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
  // Of equal hits a chapter comes first, and a whole page before a section of one.
  score: ([page, , anchor, , score]) => score + (page.startsWith("book/chapters/") ? 0.5 : 0) + (anchor ? 0 : 0.25),
};

// A browser does not let a page from the file system read the others, so there the results are titles only.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
