using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class RemoteUrlDiffers : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC040",
        Severity = LintSeverity.Error,
        Title = "Nodes of one cluster use different remote stores",
        Why = "What one node stores, the other looks for elsewhere: nothing is shared.",
        Symptom = "0 hits from the other node's entries, without an error.",
        Fix = "Give all nodes the same remote_url; or give each its own `ferry cache`, and each of those the others as --peer: then what one engine stores, another finds through its own.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/v1/storage_backend/remote_backend.py"],
        GoodExample = RuleExample.Compose(Two("redis://store:6379")),
        BadExample = RuleExample.Compose(Two("redis://other:6379")),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var group in cluster.Groups)
        {
            var processes = cluster.InGroup(group).ToList();
            var stores = new List<(ObservedProcess Engine, LmCacheSetting Url, string Authority)>();
            foreach (var process in processes.Where(process => process.IsEngine))
            {
                if (LmCacheFacts.RemoteUrl(process) is not { } url || ExchangeLinks.AuthorityOf(url.Value.Value) is not { } authority || IsOwn(authority)) { continue; }
                if (stores.Count > 0 && Scheme(stores[0].Url) + stores[0].Authority != Scheme(url) + authority)
                {
                    Compare(stores[0], (process, url, authority), processes, findings);
                }
                stores.Add((process, url, authority));
            }
        }
    }

    private void Compare(
        (ObservedProcess Engine, LmCacheSetting Url, string Authority) first, (ObservedProcess Engine, LmCacheSetting Url, string Authority) other, List<ObservedProcess> processes, FindingSink findings)
    {
        var place = $"({first.Url.Span.File.Path} line {first.Url.Span.Line})";
        if (ExchangeLinks.At(first.Authority, processes) is not { } near || ExchangeLinks.At(other.Authority, processes) is not { } far)
        {
            findings.Report(Info, other.Url.Value.Span, $"{other.Engine.Name} uses the store at {other.Authority}; another node of the cluster uses that at {first.Authority} {place}.");
            return;
        }
        foreach (var (reader, owner, address) in ((ObservedProcess, ObservedProcess, string)[])[(near, far, other.Authority), (far, near, first.Authority)])
        {
            if (!ExchangeLinks.ReadsFrom(reader, owner))
            {
                findings.Report(Info, other.Url.Value.Span, $"{other.Engine.Name} and {first.Engine.Name} {place} use exchanges of their own, and {reader.Name} does not read from {owner.Name}: give it --peer {address}.");
            }
        }
    }

    private static string Scheme(LmCacheSetting url) => url.Value.Value.Split("://")[0];

    /// <summary>A store beside the engine, on each node its own.</summary>
    private static bool IsOwn(string authority) => authority.StartsWith("localhost", StringComparison.Ordinal) || authority.StartsWith("127.", StringComparison.Ordinal) || authority.StartsWith("[::1]", StringComparison.Ordinal);

    private static string Two(string second) => $$"""
        services:
          prefill:
            image: vllm/vllm-openai:v0.14.0
            environment:
              PYTHONHASHSEED: "0"
              LMCACHE_REMOTE_URL: redis://store:6379
          decode:
            image: vllm/vllm-openai:v0.14.0
            environment:
              PYTHONHASHSEED: "0"
              LMCACHE_REMOTE_URL: {{second}}
        """;
}
