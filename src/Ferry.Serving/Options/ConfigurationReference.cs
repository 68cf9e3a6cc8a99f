using System.Text;

namespace Ferry.Serving.Options;

/// <summary>The tables of docs/configuration.md and the text of <c>ferry serve --help</c>, both from the settings themselves.</summary>
public static class ConfigurationReference
{
    private const string Preamble = """
        # Configuration of `ferry serve`

        `ferry serve MODEL` takes vLLM's flags, LMCache's environment and the side channel's, with their meaning. Every setting is
        **honoured**, or answered by a **warning** that names it, or an **error**: nothing is dropped in silence. An unknown flag, an unknown
        `LMCACHE_` name and an unknown key of `--kv-transfer-config` are errors that name the nearest known one.
        `ferry serve MODEL … --check` prints what became of each setting and starts nothing; `--check --json` prints it for programs.

        This page is printed by `ferry serve --reference` and compared with it by a test.

        """;

    public static string ToMarkdown()
    {
        var text = new StringBuilder(Preamble.ReplaceLineEndings("\n"));
        Table(text, "Flags", ServeFlags.Honoured);
        Table(text, "Flags of the command itself", CommandFlags);
        Table(text, "Keys of --kv-transfer-config", KvTransferSettings.Keys);
        Table(text, "Keys of kv_connector_extra_config", KvTransferSettings.ExtraKeys);
        Table(text, "Environment: LMCache", LmCacheSettings.Honoured);
        Table(text, "Environment: vLLM, UCX, Python", [.. EnvironmentSettings.All.Where(setting => setting.Apply is not null)]);
        Table(text, "Accepted, without effect: flags", ServeFlags.Explained);
        Table(text, "Accepted, without effect: LMCache", LmCacheSettings.Explained);
        Table(text, "Accepted, without effect: other environment", [.. EnvironmentSettings.All.Where(setting => setting.Apply is null)]);
        Table(text, "Refused flags", ServeFlags.Refused);
        return text.ToString();
    }

    /// <summary>Flags that the command line itself takes before the node's settings are read.</summary>
    public static IReadOnlyList<Setting> CommandFlags { get; } =
    [
        Own("--check", "Print what became of every setting, and stop. Exit code 0, or 2 with errors."),
        Own("--json", "With --check: as JSON."),
        Own("--reference", "Print docs/configuration.md."),
        Own("--stop-on-stdin-close", "Stop when standard input ends: for programs that start nodes."),
        Own("--log-level", "Least level that is logged: trace, debug, information (default), warning, error."),
    ];

    public static string ToHelp()
    {
        var text = new StringBuilder();
        text.Append("Description:\n  Serves a model with vLLM's OpenAI surface, as one node of a fleet that exchanges KV.\n\n");
        text.Append("Usage:\n  ferry serve MODEL [flags]\n\nFlags:\n");
        foreach (var setting in ServeFlags.Honoured.Concat(CommandFlags))
        {
            var name = setting.IsSwitch && setting.Apply is not null ? $"--[no-]{setting.Name[2..]}" : $"{string.Join(", ", [setting.Name, .. setting.Aliases])} {setting.Value}".TrimEnd();
            text.Append("  ").Append(name.PadRight(40)).Append(' ').Append(setting.Text)
                .Append(setting.Default.Length > 0 ? $" Default: {setting.Default}." : "").Append('\n');
        }
        text.Append("\nEnvironment:\n");
        foreach (var setting in LmCacheSettings.Honoured.Concat(EnvironmentSettings.All.Where(setting => setting.Apply is not null)))
        {
            text.Append("  ").Append(setting.Name.PadRight(40)).Append(' ').Append(setting.Text).Append('\n');
        }
        text.Append("""

            Examples:
              ferry serve models/ferry-tiny
              ferry serve models/ferry-tiny --device mi300x --port 8100 --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer"}'
              VLLM_NIXL_SIDE_CHANNEL_PORT=5601 ferry serve models/ferry-tiny --device gaudi3 --port 8200 --kv-transfer-config.kv_connector NixlConnector --kv-transfer-config.kv_role kv_consumer
              ferry serve models/ferry-tiny --max-num-seq 8 --check

            Exit codes: 0 stopped cleanly, 1 failed, 2 settings are wrong. All settings: docs/configuration.md

            """.ReplaceLineEndings("\n"));
        return text.ToString();
    }

    private static Setting Own(string name, string text) => new(SettingKind.Flag, name, "", "", text, null);

    private static void Table(StringBuilder text, string title, IReadOnlyList<Setting> settings)
    {
        text.Append("\n## ").Append(title).Append("\n\n| name | value | default | what it does |\n|---|---|---|---|\n");
        foreach (var setting in settings)
        {
            var names = string.Join(", ", ((string[])[setting.Name, .. setting.Aliases]).Select(name => $"`{name}`"));
            text.Append("| ").Append(names).Append(" | ").Append(Cell(setting.Value)).Append(" | ")
                .Append(Cell(setting.Default)).Append(" | ").Append(Cell(setting.Text)).Append(" |\n");
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
