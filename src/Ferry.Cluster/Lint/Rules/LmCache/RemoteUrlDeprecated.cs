using System.Globalization;
using System.Text.RegularExpressions;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed partial class RemoteUrlDeprecated : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC039",
        Severity = LintSeverity.Info,
        Title = "remote_url is deprecated",
        Why = "LMCache 0.4.3 still reads it and warns that remote_storage_plugins takes its place. Of a plugin that cannot be made only the log tells.",
        Symptom = "`remote_url is deprecated and will be removed` in LMCache's log.",
        Fix = "Nothing yet; pin the LMCache version, and move to remote_storage_plugins with the upgrade that asks for it.",
        Versions = "LMCache 0.4.3 and later, where the image says so",
        Sources = ["lmcache/v1/storage_backend/__init__.py, CreateStorageBackends"],
        GoodExample = RuleExample.Shell(Run("v0.4.2")),
        BadExample = RuleExample.Shell(Run("v0.4.3")),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        // Older ones know no other name.
        if (LmCacheFacts.RemoteUrl(process) is { } url && process.Container?.Image is { HasUnknown: false } image && IsDeprecating(image.Value))
        {
            findings.Report(Info, url.Name.Span, $"{url.Name.Value} is deprecated since LMCache 0.4.3 and still works.");
        }
    }

    private static bool IsDeprecating(string image) => Tag().Match(image) is { Success: true } match &&
        (Number(match, "major"), Number(match, "minor"), Number(match, "patch")).CompareTo((0, 4, 3)) >= 0;

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    private static string Run(string tag) => $$"""
        docker run -d --name prefill --net=host --ipc=host -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.5:6379 \
          lmcache/vllm-openai:{{tag}} --model meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
        """;

    [GeneratedRegex(@"lmcache/[a-z0-9._-]+:v?(?<major>\d{1,4})\.(?<minor>\d{1,4})\.(?<patch>\d{1,4})", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Tag();
}
