using System.Net;
using System.Net.Sockets;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Ferry.Router.Discovery;

/// <summary>The endpoints of a service, from its EndpointSlices: listed once, then watched.</summary>
/// <remarks>
/// Ready endpoints are nodes; endpoints that terminate but still serve are nodes that leave, so that they end what they have. A watch
/// that ends (the API server ends each after some minutes) is begun again with a new list. A dual-stack service has its pods in a slice for
/// each address family: by the pod's uid both are one node.
/// </remarks>
internal sealed class KubernetesNodeSource : INodeSource
{
    private const int WatchSeconds = 300;
    private const int MaxSlices = 256;   // of 100 endpoints each
    private const string NamespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

    private readonly RouterOptions _options;
    private readonly string _service;
    private readonly NodeRole _role;

    public KubernetesNodeSource(RouterOptions options, string service, NodeRole role) =>
        (_options, _service, _role) = (options, service, role);

    public string Name => $"Kubernetes service {_service} ({_role})";

    public async Task<TimeSpan> LookAsync(Action<NodeLists> found, CancellationToken cancellationToken)
    {
        using var client = new Kubernetes(_options.KubernetesApi.Length > 0
            ? new KubernetesClientConfiguration { Host = _options.KubernetesApi }
            : KubernetesClientConfiguration.InClusterConfig());
        var place = _options.KubernetesNamespace.Length > 0 ? _options.KubernetesNamespace
            : File.Exists(NamespaceFile) ? (await File.ReadAllTextAsync(NamespaceFile, cancellationToken)).Trim() : "default";
        var selector = $"kubernetes.io/service-name={_service}";
        try
        {
            var list = await client.DiscoveryV1.ListNamespacedEndpointSliceAsync(place, labelSelector: selector, limit: MaxSlices, cancellationToken: cancellationToken);
            var slices = list.Items.ToDictionary(slice => slice.Metadata.Name, StringComparer.Ordinal);
            found(Lists(slices.Values));
            await foreach (var (kind, slice) in client.DiscoveryV1.WatchListNamespacedEndpointSliceAsync(
                place, labelSelector: selector, resourceVersion: list.Metadata?.ResourceVersion, timeoutSeconds: WatchSeconds, onError: null, cancellationToken: cancellationToken))
            {
                if (kind == WatchEventType.Error) { break; }   // 410 Gone: too old to go on from; list anew
                if (kind == WatchEventType.Bookmark || slice?.Metadata?.Name is not { } name) { continue; }
                if (kind == WatchEventType.Deleted) { slices.Remove(name); }
                else if (slices.Count < MaxSlices || slices.ContainsKey(name)) { slices[name] = slice; }
                found(Lists(slices.Values));
            }
            return TimeSpan.Zero;
        }
        catch (HttpOperationException exception)
        {
            throw new NodeSourceException($"the API server answered {(int)exception.Response.StatusCode} for EndpointSlices of {place}/{_service}");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or KubernetesException)
        {
            throw new NodeSourceException(exception.Message);
        }
    }

    private NodeLists Lists(IEnumerable<V1EndpointSlice> slices)
    {
        var nodes = new List<(IPAddress Address, NodeSpec Spec, bool IsTaken)>();
        var byPod = new Dictionary<string, int>(StringComparer.Ordinal);
        // By name, so that the same slices make the same list.
        foreach (var slice in slices.OrderBy(slice => slice.Metadata.Name, StringComparer.Ordinal))
        {
            var port = slice.Ports?.FirstOrDefault(port => _options.KubernetesPort.Length == 0 || port.Name == _options.KubernetesPort);
            if (port?.Port is not { } number) { continue; }
            var scheme = port.AppProtocol is "https" || port.Name is "https" ? "https" : "http";
            foreach (var endpoint in slice.Endpoints ?? [])
            {
                // The API gives no meaning to further addresses of one endpoint.
                if (!IPAddress.TryParse(endpoint.Addresses?.FirstOrDefault(), out var address)) { continue; }
                // An absent condition counts as ready (the API's own words).
                var isReady = endpoint.Conditions?.Ready ?? true;
                var leaves = endpoint.Conditions is { Terminating: true, Serving: true };
                var node = (address, new NodeSpec(new Uri($"{scheme}://{new IPEndPoint(address, number)}")) { IsLeaving = leaves }, isReady || leaves);
                // By uid, not by name: a pod of a StatefulSet comes again under its name while the old one still serves.
                if (endpoint.TargetRef?.Uid is not { Length: > 0 } pod || byPod.TryAdd(pod, nodes.Count))
                {
                    nodes.Add(node);
                }
                else if (IsPreferred(address) && !IsPreferred(nodes[byPod[pod]].Address))
                {
                    // Also while it is not ready: the slices change one after the other, and a node must not change its address for the moment between.
                    nodes[byPod[pod]] = node;
                }
            }
        }
        List<NodeSpec> taken = [.. nodes.Where(node => node.IsTaken).Select(node => node.Spec)];
        return _role == NodeRole.Prefill ? new NodeLists(taken, []) : new NodeLists([], taken);
    }

    private bool IsPreferred(IPAddress address) =>
        address.AddressFamily == (_options.KubernetesAddressFamily == "ipv6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork);
}
