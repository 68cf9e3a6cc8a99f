using Ferry.Cluster.Rendering.Plan;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>Every process answers its health request.</summary>
internal sealed class HealthProbe : IProbe
{
    public string Id => "health";

    public string Title => "every process is healthy";

    public TimeSpan Timeout => TimeSpan.FromSeconds(15);

    // An exchange's administration may listen on loopback of its machine only: its own probe asks it over RESP.
    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => cluster.Targets
        .Where(target => target.Planned.Kind != PlannedKind.Exchange)
        .Select(target => new ProbeTask(target.Name, token => RunAsync(cluster, target.Planned.Kind == PlannedKind.Router && cluster.Options.Router is { } router ? new Uri(router, target.Planned.Health.Path) : target.Health, token)));

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, Uri url, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await cluster.Http.GetAsync(url, cancellationToken);
            return response.IsSuccessStatusCode
                ? ProbeAnswer.Pass($"{url} answers {(int)response.StatusCode}")
                : ProbeAnswer.Violation($"{url} answers {(int)response.StatusCode} {HttpAnswers.Shorten(await response.Content.ReadAsStringAsync(cancellationToken))}".TrimEnd(), "Its log says why: `ferry diagnose --container NAME`.");
        }
        catch (HttpRequestException exception)
        {
            return ProbeAnswer.Violation($"{url}: {exception.GetBaseException().Message}", "Start it, or correct address and port in ferry.yaml.");
        }
    }
}
