using Ferry.Cluster.Spec;
using Ferry.Cluster.Verification;

namespace Ferry.IntegrationTests.Verification;

/// <summary>One probe of a store; the cluster's processes need not run.</summary>
internal static class StorageProbe
{
    public static async Task<ProbeResult> RunAsync(ClusterSpec spec, string probe, TimeProvider? time = null)
    {
        var report = await Verifier.RunAsync(spec, new VerifyOptions { Access = VerifyAccess.Http, Only = [probe] }, time ?? TimeProvider.System, null, TestContext.Current.CancellationToken);
        return Assert.Single(report.Results);
    }
}
