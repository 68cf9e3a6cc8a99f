using Ferry.Router;
using Ferry.Router.Discovery;
using Ferry.TestKit;
using Ferry.TestKit.Router;

namespace Ferry.IntegrationTests.Router;

/// <summary>Discovery by EndpointSlices, through the real client, against a server that answers the API's JSON (there is no kube-apiserver here).</summary>
public sealed class KubernetesDiscoveryTests
{
    private const string Slice = """
        {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"%N%","namespace":"ai","resourceVersion":"%V%",
        "labels":{"kubernetes.io/service-name":"prefill"}},"addressType":"%T%","endpoints":[%E%],
        "ports":[{"name":"http","protocol":"TCP","port":8000},{"name":"side","protocol":"TCP","port":5600}]}
        """;

    [Fact]
    public async Task Slices_ListedAndWatched_BecomeNodesThatComeLeaveAndGo()
    {
        await using var api = await FakeApiServer.StartAsync();
        api.List = ListOf(Of("100", Pod("10.1.0.1"), Pod("10.1.0.2", ready: false)));
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

    [Theory]
    [InlineData("ipv4", "10.1.0.1:8000 10.1.0.3:8000 [fd00::2]:8000", "10.1.0.1:8000")]
    [InlineData("ipv6", "10.1.0.3:8000 [fd00::1]:8000 [fd00::2]:8000", "[fd00::1]:8000")]
    public async Task DualStackService_PodInBothSlices_IsOneNodeByTheWantedFamily(string family, string names, string both)
    {
        await using var api = await FakeApiServer.StartAsync();
        // Pod a has both families, b and c have one each.
        string[] four = [Pod("10.1.0.1", uid: "a"), Pod("10.1.0.3", uid: "c")];
        string[] six = [Pod("fd00::1", uid: "a"), Pod("fd00::2", uid: "b")];
        api.List = ListOf(Of("100", four), SixOf("100", six));
        await using var router = await StartAsync(api, family);
        await Eventually.TrueAsync(() => Names(router) == names, $"the nodes are not {names}");
        // The slices change one after the other. What the wanted address says counts, though the other one still says that the pod is ready.
        var wanted = family == "ipv4" ? Of("101", Pod("10.1.0.1", uid: "a", ready: false), Pod("10.1.0.3", uid: "c")) : SixOf("101", Pod("fd00::1", uid: "a", ready: false), Pod("fd00::2", uid: "b"));
        api.Send($$"""{"type":"MODIFIED","object":{{wanted}}}""");
        await Eventually.TrueAsync(() => Names(router) == names.Replace(both, "", StringComparison.Ordinal).Replace("  ", " ", StringComparison.Ordinal).Trim(), $"{both} is still a node, or its pod by its other address");
    }

    [Fact]
    public async Task DualStackService_PodOfTheSameNameAgain_IsAnotherNode()
    {
        await using var api = await FakeApiServer.StartAsync();
        api.List = ListOf(Of("100", Pod("10.1.0.1", ready: false, terminating: true, uid: "old"), Pod("10.1.0.2", uid: "new")));
        await using var router = await StartAsync(api);
        await Eventually.TrueAsync(() => Names(router) == "10.1.0.1:8000 10.1.0.2:8000", "the pod that goes and the one that takes its name are not two nodes");
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

    private static Task<NodesFixture> StartAsync(FakeApiServer api, string family = "ipv4") => NodesFixture.StartAsync((options, _) => options with
    {
        // The pods of the list do not exist: probes must not take them down while this looks.
        Prefill = [],
        PrefillService = "prefill",
        KubernetesApi = api.Address.ToString(),
        KubernetesNamespace = "ai",
        KubernetesPort = "http",
        KubernetesAddressFamily = family,
        UnhealthyAfter = 1000,
    });

    private static string Names(NodesFixture router) => string.Join(' ', router.Host.Runtime.Nodes.Current.Prefill.Select(node => node.Name).Order(StringComparer.Ordinal));

    private static string ListOf(params string[] slices) =>
        $$"""{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":"100"},"items":[{{string.Join(',', slices)}}]}""";

    private static string Of(string version, params string[] pods) => Filled(version, "prefill-x7k2p", "IPv4", pods);

    private static string SixOf(string version, params string[] pods) => Filled(version, "prefill-z9", "IPv6", pods);

    private static string Filled(string version, string name, string addressType, string[] pods) => Slice.Replace("%N%", name, StringComparison.Ordinal).Replace("%T%", addressType, StringComparison.Ordinal).Replace("%V%", version, StringComparison.Ordinal).Replace("%E%", string.Join(',', pods), StringComparison.Ordinal).ReplaceLineEndings("");

    private static string Pod(string address, bool ready = true, bool terminating = false, string uid = "") =>
        $$$"""{"addresses":["{{{address}}}"],"conditions":{"ready":{{{(ready ? "true" : "false")}}},"serving":true,"terminating":{{{(terminating ? "true" : "false")}}}},"targetRef":{"kind":"Pod","namespace":"ai","name":"p","uid":"{{{uid}}}"}}""";
}
