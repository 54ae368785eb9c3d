// Starts GraphiQL with the API key of the bar, and opens example queries in tabs of their own.
// The key stays in this browser tab (sessionStorage) and goes to /graphql only.
(async () => {
  const KEY = "fulcrum.apiKey";
  const field = document.getElementById("key");
  const place = document.getElementById("graphiql");
  const said = document.getElementById("said");
  const examples = await (await fetch("/graphiql/examples.json")).json();
  let root = null;

  const fetcher = async (sent, options) => {
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Authorization: "Bearer " + (sessionStorage.getItem(KEY) || ""),
        ...((options && options.headers) || {}),
      },
      body: JSON.stringify(sent),
    });
    return answer.json();
  };

  // GraphiQL finds the tab it was left in by query and variables, but does not keep the variables of
  // a tab that was never edited: without these it opens the same query once more at every load.
  const lastTab = () => {
    try {
      const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem("graphiql:tabState"));
      return tabs[activeTabIndex];
    } catch {
      return examples[0] || {};
    }
  };

  const show = (key) => {
    const { query, variables } = lastTab();
    root = root || ReactDOM.createRoot(place);
    root.render(
      React.createElement(GraphiQL, {
        key, // another API key: start anew, and read the schema again
        fetcher,
        query: query || undefined,
        variables: variables || undefined,
        defaultTabs: examples.slice(0, 1).map(({ query, variables }) => ({ query, variables, headers: null })),
        defaultEditorToolsVisibility: "variables",
        plugins: [GraphiQLPluginExplorer.explorerPlugin()],
      }),
    );
    document.getElementById("open").disabled = false;
  };

  const PLACES = {
    query: ".graphiql-query-editor .CodeMirror",
    variables: ".graphiql-editor-tool .graphiql-editor:first-child .CodeMirror",
  };
  const editor = (name) => place.querySelector(PLACES[name])?.CodeMirror;
  const until = async (happened) => {
    for (let turn = 0; turn < 100 && !happened(); turn += 1) await new Promise((wake) => setTimeout(wake, 20));
  };

  const open = async ({ title, query, variables }) => {
    await until(() => editor("query") && editor("variables"));
    place.querySelector("button.graphiql-tab-add").click();
    await until(() => editor("query").getValue() === "");
    editor("query").setValue(query);
    editor("variables").setValue(variables);
    editor("query").focus();
    said.textContent = `Opened: ${title}`;
  };

  document.getElementById("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, field.value.trim());
    show(field.value.trim());
  });
  document.getElementById("example-form").addEventListener("submit", (event) => {
    event.preventDefault();
    open(examples[document.getElementById("example").value]);
  });
  field.value = sessionStorage.getItem(KEY) || "";
  if (field.value) show(field.value);
  else field.focus();
})();
