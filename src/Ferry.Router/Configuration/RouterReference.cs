using System.Text;

namespace Ferry.Router.Configuration;

/// <summary>docs/router-configuration.md, printed from the settings themselves.</summary>
public static class RouterReference
{
    private const string Preamble = """
        # Configuration of `ferry route`

        A router takes a file (`ferry route --config router.yaml`), flags, or both; a flag wins over the file. Times are written `500ms`, `30s`,
        `5m`; lengths `1048576` or `256MiB`. An unknown key is an error with file, line, column and the nearest known key; all errors come at once.
        `ferry route … --check` reads everything and starts nothing.

        ```yaml
        listen: {port: 9000}
        policy: prefix-aware
        decodePolicy: least-loaded
        prefill:
          - http://10.0.0.1:8000
          - {url: "http://10.0.0.2:8000", weight: 2, kvEvents: "tcp://10.0.0.2:5557", kvReplay: "tcp://10.0.0.2:5558"}
        decode:
          - http://10.0.1.1:8000
        disaggregation: {minPromptTokens: 512}
        admission: {maxInFlight: 512}
        ```

        The file is read again when it changes, on SIGHUP and on `POST /admin/reload`. A file with an error changes nothing: the router keeps what it
        has, logs why, counts `ferry_router_reloads_total{result="refused"}` and shows the errors in `/admin/state`. Settings marked *start* take
        effect only at a start: a reload that changes one is refused as a whole.

        This page is printed by `ferry route --reference` and compared with it by a test.

        """;

    public static string ToMarkdown()
    {
        var text = new StringBuilder(Preamble.ReplaceLineEndings("\n"));
        text.Append("\n## Nodes: the lists `prefill` and `decode`\n\nEach item is a URL, or a mapping:\n\n| key | value | what it does |\n|---|---|---|\n");
        foreach (var (key, value, what) in NodeListReader.Keys)
        {
            text.Append("| `").Append(key).Append("` | ").Append(value).Append(" | ").Append(what).Append(" |\n");
        }
        text.Append("\nFlags: `--prefill URL` and `--decode URL`, each as often as needed.\n");
        foreach (var (title, settings) in RouterSettings.Groups)
        {
            text.Append("\n## ").Append(title).Append("\n\n| key | flag | value | default | reload | what it does |\n|---|---|---|---|---|---|\n");
            foreach (var setting in settings)
            {
                text.Append("| `").Append(setting.Key).Append("` | `").Append(setting.Flag).Append("` | ").Append(Cell(setting.ValueName)).Append(" | ").Append(Cell(setting.Default))
                    .Append(" | ").Append(setting.IsReloadable ? "" : "*start*").Append(" | ").Append(Cell(setting.Text)).Append(" |\n");
            }
        }
        return text.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
