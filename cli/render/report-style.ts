/** Light and dark by the reader's preference; quiet on paper. */
export const reportStyle = `
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--text:#1d1d1f;--dim:#6b6b70;--line:#e4e4e2;--ok:#1a7f4b;--bad:#c0322b;--warn:#9a6400;--back:#7a3db8;--run:#1667b7}
@media(prefers-color-scheme:dark){:root{--bg:#161618;--card:#1f1f22;--text:#ececee;--dim:#9a9aa1;--line:#34343a;--ok:#4cc38a;--bad:#ff7a70;--warn:#e0ad4a;--back:#c298f0;--run:#6cb2f5}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:62rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
header{border-left:5px solid var(--accent,var(--run));padding:.1rem 0 .1rem 1.1rem;margin-bottom:1.75rem}
.outcome{margin:0;color:var(--accent,var(--run));font-weight:650;text-transform:uppercase;letter-spacing:.06em;font-size:.8rem}
h1{margin:.1rem 0 .25rem;font-size:1.75rem;line-height:1.2;letter-spacing:-.01em;overflow-wrap:anywhere}
.sentence{margin:0;font-size:1.05rem;color:var(--dim);overflow-wrap:anywhere}
h2{font-size:1rem;margin:2.25rem 0 .6rem}
.basics{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.75rem 1.5rem;margin:0;padding:1rem 1.1rem;background:var(--card);border:1px solid var(--line);border-radius:10px}
.basics dt{color:var(--dim);font-size:.78rem}
.basics .wide{grid-column:1/-1}
.basics dd{margin:0;overflow-wrap:anywhere}
.notices{margin:1.25rem 0 0;padding:.7rem 1rem .7rem 2rem;border:1px solid var(--warn);border-radius:10px;color:var(--warn)}
table{width:100%;border-collapse:separate;background:var(--card);border:1px solid var(--line);border-radius:10px;border-spacing:0;font-size:.92rem}
section{overflow-x:auto}
th,td{text-align:left;padding:.45rem .8rem;border-top:1px solid var(--line);vertical-align:top}
td:first-child,td:nth-last-child(-n+2){overflow-wrap:anywhere}
.decisions td:first-child,.findings td:nth-child(-n+5){white-space:nowrap}
thead th{border-top:0;color:var(--dim);font-weight:500;font-size:.78rem}
.phase th{padding-top:1rem;border-top:1px solid var(--line);font-weight:650;text-transform:capitalize}
.step{display:flex;gap:.6rem}
.mark{width:1.1em;flex:none;text-align:center;font-weight:700;color:var(--accent,var(--dim))}
small{display:block;color:var(--dim)}
.number{white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--dim)}
.when{width:30%;min-width:8rem}
.track{position:relative;height:.6rem;margin-top:.35rem}
td.when i{position:absolute;top:0;height:.6rem;border-radius:3px;background:var(--accent,var(--dim));opacity:.85;print-color-adjust:exact;-webkit-print-color-adjust:exact}
td.when i.asked{background:repeating-linear-gradient(135deg,var(--warn) 0 3px,transparent 3px 6px)}
.succeeded,.done{--accent:var(--ok)}
.failed,.undo-failed,.needs-attention{--accent:var(--bad)}
.rolled-back,.undone,.undoing{--accent:var(--back)}
.aborted,.waiting,.paused{--accent:var(--warn)}
.running,.planning,.rolling-back{--accent:var(--run)}
.superseded,.pending,.skipped,.left{--accent:var(--dim)}
.pending td{color:var(--dim)}
.refused td,.findings .failed td:nth-child(3),.findings .errored td:nth-child(3){color:var(--bad)}
.findings .inconclusive td:nth-child(3){color:var(--warn)}
section .sentence{margin-bottom:.6rem;font-size:.92rem}
footer{margin-top:2.5rem;color:var(--dim);font-size:.85rem}
a{color:var(--run)}
@media(max-width:40rem){.when{display:none}main{padding-top:1.25rem}}
@media print{:root{--bg:#fff;--card:#fff;--text:#000;--dim:#555;--line:#ccc;--ok:#1a7f4b;--bad:#c0322b;--warn:#9a6400;--back:#7a3db8;--run:#1667b7}body{font-size:11px}main{max-width:none;padding:0}tr,header,.basics{break-inside:avoid}}
`;
