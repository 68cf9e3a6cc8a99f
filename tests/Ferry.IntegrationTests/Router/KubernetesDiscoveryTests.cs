using Ferry.Router;
using Ferry.Router.Discovery;
using Ferry.TestKit;
using Ferry.TestKit.Router;

namespace Ferry.IntegrationTests.Router;

/// <summary>Discovery by EndpointSlices, through the real client, against a server that answers the API's JSON (there is no kube-apiserver here).</summary>
public sealed class KubernetesDiscoveryTests
{
    private const string Slice = """
        {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"prefill-x7k2p","namespace":"ai","resourceVersion":"%V%",
        "labels":{"kubernetes.io/service-name":"prefill"}},"addressType":"IPv4","endpoints":[%E%],
        "ports":[{"name":"http","protocol":"TCP","port":8000},{"name":"side","protocol":"TCP","port":5600}]}
        """;

    [Fact]
    public async Task Slices_ListedAndWatched_BecomeNodesThatComeLeaveAndGo()
    {
        await using var api = await FakeApiServer.StartAsync();
        api.List = $$"""{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":"100"},"items":[{{Of("100", Pod("10.1.0.1"), Pod("10.1.0.2", ready: false))}}]}""";
        await using var router = await StartAsync(api);
        await Eventually.TrueAsync(() => Names(router) == "10.1.0.1:8000", "the listed pod never came");
        api.Send($$"""{"type":"MODIFIED","object":{{Of("101", Pod("10.1.0.1"), Pod("10.1.0.2"))}}}""");
        await Eventually.TrueAsync(() => Names(router) == "10.1.0.1:8000 10.1.0.2:8000", "the pod that got ready never came");
        api.Send($$"""{"type":"MODIFIED","object":{{Of("102", Pod("10.1.0.1", ready: false, terminating: true), Pod("10.1.0.2"))}}}""");
        await Eventually.TrueAsync(() => router.Host.Runtime.Chooser.TryFind(NodeRole.Prefill, "10.1.0.1:8000")!.Spec.IsLeaving, "a pod that terminates is not leaving");
        foreach (var _ in Enumerable.Range(0, 4))
        {
            using var choice = router.Host.Runtime.Chooser.Choose(new Ferry.Router.Choosing.ChoiceFacts { Prompt = default });
            Assert.Equal("10.1.0.2:8000", choice.Prefill!.Name);
        }
        api.Send($$"""{"type":"DELETED","object":{{Of("103")}}}""");
        await Eventually.TrueAsync(() => Names(router) == "", "pods of a deleted slice stayed");
        lock (api.Queries)
        {
            Assert.Contains(api.Queries, query => query.Contains("labelSelector=kubernetes.io%2Fservice-name%3Dprefill", StringComparison.OrdinalIgnoreCase));
            Assert.Contains(api.Queries, query => query.Contains("watch=true", StringComparison.Ordinal) && query.Contains("resourceVersion=100", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task ApiServer_ThatRefuses_KeepsTheNodesThatAreKnown()
    {
        await using var api = await FakeApiServer.StartAsync();
        api.Status = 403;
        var source = new KubernetesNodeSource(new RouterOptions { KubernetesApi = api.Address.ToString(), KubernetesNamespace = "ai" }, "prefill", NodeRole.Prefill);
        var refused = await Assert.ThrowsAsync<NodeSourceException>(() => source.LookAsync(_ => Assert.Fail("nothing was found"), CancellationToken.None));
        Assert.Contains("403", refused.Message, StringComparison.Ordinal);
    }

    private static Task<NodesFixture> StartAsync(FakeApiServer api) => NodesFixture.StartAsync((options, _) => options with
    {
        // The pods of the list do not exist: probes must not take them down while this looks.
        Prefill = [],
        PrefillService = "prefill",
        KubernetesApi = api.Address.ToString(),
        KubernetesNamespace = "ai",
        KubernetesPort = "http",
        UnhealthyAfter = 1000,
    });

    private static string Names(NodesFixture router) => string.Join(' ', router.Host.Runtime.Nodes.Current.Prefill.Select(node => node.Name).Order(StringComparer.Ordinal));

    private static string Of(string version, params string[] pods) => Slice.Replace("%V%", version, StringComparison.Ordinal).Replace("%E%", string.Join(',', pods), StringComparison.Ordinal).ReplaceLineEndings("");

    private static string Pod(string address, bool ready = true, bool terminating = false) =>
        $$$"""{"addresses":["{{{address}}}"],"conditions":{"ready":{{{(ready ? "true" : "false")}}},"serving":true,"terminating":{{{(terminating ? "true" : "false")}}}},"targetRef":{"kind":"Pod","namespace":"ai","name":"p"}}""";
}
