using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class S3Tls : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC034",
        Severity = LintSeverity.Error,
        Title = "The S3 endpoint speaks plain HTTP, and LMCache will use TLS",
        Why = "LMCache uses TLS unless extra_config has disable_tls true. An http:// in another variable, or a port such as 80, 8080 or 9000 in the URL, does not change that.",
        Symptom = "`AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE` or `AWS_IO_SOCKET_TIMEOUT` from awscrt; no object appears.",
        Fix = "Set \"disable_tls\": true in LMCACHE_EXTRA_CONFIG, or better serve the gateway by TLS.",
        Versions = "LMCache S3 connector, versions that were read up to 0.4",
        Sources = ["lmcache/v1/storage_backend/connector/s3_adapter.py"],
        GoodExample = S3Settings.Good,
        BadExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example:8080\nLMCACHE_EXTRA_CONFIG={\"s3_region\":\"default\",\"save_chunk_meta\":false,\"s3_enable_s3express\":false,\"s3_prefer_http2\":false}\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.S3(process) is not { } url || process.LmCache.Extra?.Find("disable_tls") is { IsTrue: true } || S3Settings.HasUnreadExtra(process)) { return; }
        var plain = process.LmCache.All.FirstOrDefault(setting => setting.Key.StartsWith("s3_endpoint", StringComparison.Ordinal) && IsHttp(setting.Value.Value));
        var variable = process.Environment.Effective.FirstOrDefault(setting => setting.Name.Value.StartsWith("AWS_ENDPOINT_URL", StringComparison.Ordinal) && IsHttp(setting.Value?.Value));
        if (plain is not null || variable is not null)
        {
            findings.Report(Info, plain?.Span ?? variable!.Span,
                $"{plain?.Name.Value ?? variable!.Name.Value} says plain http, but {LmCacheFacts.Spell(process, "extra_config")} has no \"disable_tls\": true, so LMCache speaks TLS to {url.Value.Value}.");
        }
        else if (Port(url.Value.Value) is 80 or 8080 or 7480 or 9000 or 8000)
        {
            findings.Report(Info, LintSeverity.Warning, url.Value.Span,
                $"Port {Port(url.Value.Value)} most often speaks plain HTTP; without \"disable_tls\": true in {LmCacheFacts.Spell(process, "extra_config")} LMCache speaks TLS to it.");
        }
    }

    private static bool IsHttp(string? value) => value?.StartsWith("http://", StringComparison.OrdinalIgnoreCase) is true;

    private static int? Port(string url)
    {
        var authority = url["s3://".Length..].Split('/')[0];
        var colon = authority.LastIndexOf(':');
        return colon >= 0 && int.TryParse(authority[(colon + 1)..], out var port) ? port : null;
    }
}
