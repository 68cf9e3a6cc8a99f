using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Ferry.Router.Discovery;

/// <summary>The endpoints of a service, from its EndpointSlices: listed once, then watched.</summary>
/// <remarks>
/// Ready endpoints are nodes; endpoints that terminate but still serve are nodes that leave, so that they end what they have. A watch
/// that ends (the API server ends each after some minutes) is begun again with a new list.
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
        var nodes = new List<NodeSpec>();
        foreach (var slice in slices)
        {
            var port = slice.Ports?.FirstOrDefault(port => _options.KubernetesPort.Length == 0 || port.Name == _options.KubernetesPort);
            if (port?.Port is not { } number) { continue; }
            var scheme = port.AppProtocol is "https" || port.Name is "https" ? "https" : "http";
            foreach (var endpoint in slice.Endpoints ?? [])
            {
                // An absent condition counts as ready (the API's own words).
                var isReady = endpoint.Conditions?.Ready ?? true;
                var leaves = endpoint.Conditions is { Terminating: true, Serving: true };
                if (!isReady && !leaves) { continue; }
                foreach (var text in endpoint.Addresses ?? [])
                {
                    if (IPAddress.TryParse(text, out var address))
                    {
                        nodes.Add(new NodeSpec(new Uri($"{scheme}://{new IPEndPoint(address, number)}")) { IsLeaving = leaves });
                    }
                }
            }
        }
        return _role == NodeRole.Prefill ? new NodeLists(nodes, []) : new NodeLists([], nodes);
    }
}
