using System.Net.Http.Headers;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Verification;

/// <summary>A live cluster as probes see it: what it should be, and the ways to it.</summary>
internal sealed class VerifyCluster : IAsyncDisposable
{
    private const int ResponseBytesMax = 64 << 20;

    private readonly IReadOnlyList<IAsyncDisposable> _owned;

    public VerifyCluster(ClusterSpec spec, DeploymentPlan plan, IReadOnlyList<VerifyTarget> targets, VerifyOptions options, TimeProvider time, IReadOnlyList<IAsyncDisposable> owned)
    {
        (Spec, Plan, Targets, Options, Time, _owned) = (spec, plan, targets, options, time, owned);
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(5) })
        {
            Timeout = Timeout.InfiniteTimeSpan,   // Each probe has its own.
            MaxResponseContentBufferSize = ResponseBytesMax,
        };
        if (options.ApiKeyVariable is { } variable && options.Variables(variable) is { Length: > 0 } key)
        {
            Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }
    }

    public ClusterSpec Spec { get; }

    public DeploymentPlan Plan { get; }

    public IReadOnlyList<VerifyTarget> Targets { get; }

    public VerifyOptions Options { get; }

    public TimeProvider Time { get; }

    /// <summary>Follows no redirects, and has no timeout of its own.</summary>
    public HttpClient Http { get; }

    public IEnumerable<VerifyTarget> Engines => Targets.Where(target => target.IsEngine);

    public IEnumerable<VerifyTarget> Exchanges => Targets.Where(target => target.Planned.Kind == PlannedKind.Exchange);

    public IEnumerable<VerifyTarget> Routers => Targets.Where(target => target.Planned.Kind == PlannedKind.Router);

    /// <summary>Engines of this role or of both.</summary>
    public IEnumerable<VerifyTarget> Of(PoolRole role) => Engines.Where(target => target.Pool!.Role == role || target.Pool.Role == PoolRole.Both);

    /// <summary>Where clients ask.</summary>
    public Uri RouterUrl => Options.Router ?? Routers.FirstOrDefault()?.Url ?? new Uri(Plan.Endpoint);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        foreach (var one in _owned)
        {
            await one.DisposeAsync();
        }
    }
}
