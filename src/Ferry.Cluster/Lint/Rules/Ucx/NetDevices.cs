using System.Text.RegularExpressions;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>UCX_NET_DEVICES does not fit the transports.</summary>
internal sealed partial class NetDevices : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX011",
        Severity = LintSeverity.Warning,
        Title = "UCX_NET_DEVICES does not fit the transports",
        Why = "The variable holds for every network transport. RDMA names (mlx5_0:1) take tcp away, Ethernet names (eth0) take rc away, and an " +
            "RDMA device is named with its port.",
        Symptom = "`network device 'mlx5_0' is not available, please use one or more of: …`; or the fallback over tcp is gone.",
        Fix = "Name the devices of every transport in the list (mlx5_0:1,eth0), or leave the variable out.",
        Versions = "every version",
        Sources = ["sglang #40641", "UCX src/uct/base/uct_md.c (device names)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self -e UCX_NET_DEVICES=mlx5_0:1,eth0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self -e UCX_NET_DEVICES=mlx5_0:1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Environment.Value("UCX_NET_DEVICES") is not { HasUnknown: false, Value: not ("" or "all") } value || value.Value.Contains('[', StringComparison.Ordinal)) { continue; }
            string[] names = value.Value.TrimStart('^').Split(',');
            if (names.FirstOrDefault(name => RdmaName().IsMatch(name) && !name.Contains(':', StringComparison.Ordinal)) is { } portless)
            {
                findings.Report(Info, value.Span, $"UCX_NET_DEVICES={value.Value}: an RDMA device is named with its port: {portless}:1.",
                    Edits.Replace(value, string.Join(',', value.Value.Split(',').Select(name => name == portless ? name + ":1" : name))));
            }
            if (value.Value[0] == '^' || process.Environment.Find("UCX_TLS") is { Value: null or { HasUnknown: true } }) { continue; }
            var list = UcxTls.Parse(process.Environment.Value("UCX_TLS")?.Value);
            var isExplicit = !list.AllowsAll && !list.Denies;
            if (isExplicit && names.All(IsRdma) && list.Allows(UcxTransportKind.Tcp) && list.Allows(UcxTransportKind.Rdma))
            {
                findings.Report(Info, LintSeverity.Info, value.Span, $"UCX_NET_DEVICES={value.Value} names RDMA devices only, so the tcp of UCX_TLS={list.Text} has no device and is no fallback. Add the Ethernet interface: {value.Value},eth0.");
            }
            else if (isExplicit && names.All(name => EthernetName().IsMatch(name)) && list.Allows(UcxTransportKind.Rdma) && !list.Allows(UcxTransportKind.Tcp))
            {
                findings.Report(Info, LintSeverity.Error, value.Span, $"UCX_NET_DEVICES={value.Value} names no RDMA device, but UCX_TLS={list.Text} has no other network transport. Name the RDMA device with its port (mlx5_0:1).");
            }
        }
    }

    private static bool IsRdma(string name) => RdmaName().IsMatch(name) || (name.Contains(':', StringComparison.Ordinal) && !EthernetName().IsMatch(name));

    [GeneratedRegex(@"^(mlx\d|bnxt_re|ionic|irdma|rocep|rdmap|qedr|hns|rxe|siw|efa|hfi|cxgb)", RegexOptions.CultureInvariant)]
    private static partial Regex RdmaName();

    [GeneratedRegex(@"^(eth|en[ospx]|bond|ib\d|lo$|br-?|wl)", RegexOptions.CultureInvariant)]
    private static partial Regex EthernetName();
}
