using System.Text;
using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;

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
        SettingTables.AppendMarkdown(text, "Flags", ServeFlags.Honoured);
        SettingTables.AppendMarkdown(text, "Flags of the command itself", CommandFlags);
        SettingTables.AppendMarkdown(text, "Keys of --kv-transfer-config", KvTransferSettings.Keys);
        SettingTables.AppendMarkdown(text, "Keys of kv_connector_extra_config", KvTransferSettings.ExtraKeys);
        SettingTables.AppendMarkdown(text, "Environment: LMCache", LmCacheSettings.Engine.Honoured);
        SettingTables.AppendMarkdown(text, "Keys of LMCACHE_EXTRA_CONFIG", LmCacheExtraSettings.All);
        SettingTables.AppendMarkdown(text, "Environment: vLLM, UCX, Python", [.. EnvironmentSettings.All.Where(setting => setting.HasEffect)]);
        SettingTables.AppendMarkdown(text, "Accepted, without effect: flags", ServeFlags.Explained);
        SettingTables.AppendMarkdown(text, "Accepted, without effect: LMCache", LmCacheSettings.Engine.Explained);
        SettingTables.AppendMarkdown(text, "Accepted, without effect: other environment", [.. EnvironmentSettings.All.Where(setting => !setting.HasEffect)]);
        SettingTables.AppendMarkdown(text, "Refused flags", ServeFlags.Refused);
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
        SettingTables.AppendHelp(text, ServeFlags.Honoured.Concat<Setting>(CommandFlags));
        text.Append("\nEnvironment:\n");
        SettingTables.AppendHelp(text, LmCacheSettings.Engine.Honoured.Concat<Setting>(EnvironmentSettings.All.Where(setting => setting.HasEffect)));
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

    private static Setting<ServeDraft> Own(string name, string text) => new(name, "", "", text, null);
}
