// Starts GraphiQL with the API key of the bar and the example queries as tabs.
// The key stays in this browser tab (sessionStorage) and goes to /graphql only.
(async () => {
  const KEY = "fulcrum.apiKey";
  const field = document.getElementById("key");
  field.value = sessionStorage.getItem(KEY) || "";
  document.getElementById("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, field.value.trim());
    location.reload();
  });

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

  const examples = await (await fetch("/graphiql/examples.json")).json();
  const tabs = examples.map(({ query, variables }) => ({ query, variables }));
  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultTabs: tabs.length ? tabs : undefined,
      defaultEditorToolsVisibility: "variables",
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    }),
  );
})();
