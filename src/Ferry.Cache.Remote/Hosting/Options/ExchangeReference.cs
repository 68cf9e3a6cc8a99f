using System.Text;
using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>docs/configuration-cache.md and the text of <c>ferry cache --help</c>, both from the settings themselves.</summary>
public static class ExchangeReference
{
    private const string Preamble = """
        # Configuration of `ferry cache`

        An exchange takes its own flags, a YAML file of the same settings, and LMCache's variables and file as they are. What stands nearer wins:
        flags, then `--config`, then variables, then the file that `LMCACHE_CONFIG_FILE` names. Every setting is **honoured**, or answered by a
        **warning** that names it, or an **error**: nothing is dropped in silence. Unknown, old and useless names are errors that name the nearest
        known one; with `--lenient` they are warnings. All errors come at once, each with where it stands.
        `ferry cache … --check` prints what became of each setting and starts nothing; `--check --json` prints it for programs.

        Sizes take a unit: KiB, MiB, GiB, TiB, or KB, MB, GB, TB of powers of 1000. Times take one, too: ms, s, m, h, d.

        This page is printed by `ferry cache --reference` and compared with it by a test.

        ```yaml
        # exchange.yaml: ferry cache --config exchange.yaml
        resp:
          listen: 127.0.0.1:6390
        lm:
          listen: 127.0.0.1:65432
        memory:
          size: 4GiB
          policy: LRU
        disk:
          path: /var/lib/ferry
          size: 20GiB
        peers:
          - 10.0.0.2:6390
        remote:
          url: s3://kv?endpoint=http://127.0.0.1:7480
        convert: on
        quotas:
          tenant-a: 1GiB
        ```

        LMCache's guide for two vendors works as it stands: `LMCACHE_REMOTE_URL=s3://s3.ceph.example/nixl/` with
        `LMCACHE_S3_ENDPOINT_URL=http://s3.ceph.example` is the bucket `nixl` there. Sizes mean the node, not a rank: one exchange serves all ranks.

        """;

    /// <summary>Flags that the command line itself takes before the exchange's settings are read.</summary>
    public static IReadOnlyList<Setting> CommandFlags { get; } =
    [
        Own("--config", "FILE", "YAML file of the settings above."),
        Own("--lenient", "", "Unknown, old and useless names warn instead of stopping the start."),
        Own("--check", "", "Print what became of every setting, and stop. Exit code 0, or 2 with errors."),
        Own("--json", "", "With --check: as JSON."),
        Own("--reference", "", "Print docs/configuration-cache.md."),
        Own("--stop-on-stdin-close", "", "Stop when standard input ends: for programs that start an exchange."),
        Own("--log-level", "LEVEL", "Least level that is logged: trace, debug, information (default), warning, error."),
    ];

    public static string ToMarkdown()
    {
        var text = new StringBuilder(Preamble.ReplaceLineEndings("\n"));
        SettingTables.AppendMarkdown(text, "Flags and keys of the file", ExchangeFlags.All);
        SettingTables.AppendMarkdown(text, "Flags of the command itself", CommandFlags);
        SettingTables.AppendMarkdown(text, "Environment: LMCache", LmCacheSettings.Exchange.Honoured);
        SettingTables.AppendMarkdown(text, "Keys of LMCACHE_EXTRA_CONFIG", LmCacheExtraSettings.All);
        SettingTables.AppendMarkdown(text, "Environment: Ferry, AWS", ExchangeEnvironment.All);
        SettingTables.AppendMarkdown(text, "Accepted, without effect: LMCache", LmCacheSettings.Exchange.Explained);
        SettingTables.AppendMarkdown(text, "Refused: LMCache", LmCacheSettings.Exchange.Refused);
        return text.ToString();
    }

    /// <summary>The settings part of the command's help.</summary>
    public static string ToHelp()
    {
        var text = new StringBuilder("Settings:\n");
        SettingTables.AppendHelp(text, ExchangeFlags.All.Concat<Setting>(CommandFlags));
        text.Append("\nEnvironment (LMCache's names, with LMCache's meaning):\n");
        SettingTables.AppendHelp(text, LmCacheSettings.Exchange.Honoured.Concat<Setting>(ExchangeEnvironment.All));
        return text.ToString();
    }

    private static Setting<ExchangeDraft> Own(string name, string value, string text) => new(name, value, "", text, null);
}
