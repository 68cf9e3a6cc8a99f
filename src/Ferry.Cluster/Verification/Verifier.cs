using Ferry.Cluster.Containers;
using Ferry.Cluster.Diagnosis;
using Ferry.Cluster.Rendering;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Verification.Access;

namespace Ferry.Cluster.Verification;

/// <summary>Runs every probe against a live cluster. Whatever a probe throws, it has not passed.</summary>
public static class Verifier
{
    /// <summary>Names and titles of all probes, for help and for errors.</summary>
    public static IReadOnlyList<(string Id, string Title)> Probes { get; } = [.. ProbeCatalog.All.Select(probe => (probe.Id, probe.Title))];

    /// <exception cref="RenderException">The description makes no cluster.</exception>
    /// <exception cref="ContainerException">The cluster cannot be reached at all.</exception>
    public static async Task<VerifyReport> RunAsync(ClusterSpec spec, VerifyOptions options, TimeProvider time, IProgress<ProbeEvent>? progress, CancellationToken cancellationToken)
    {
        await using var cluster = await ClusterOpener.OpenAsync(spec, options, time, cancellationToken);
        return await RunAsync(cluster, ProbeCatalog.All, progress, cancellationToken);
    }

    internal static async Task<VerifyReport> RunAsync(VerifyCluster cluster, IReadOnlyList<IProbe> catalog, IProgress<ProbeEvent>? progress, CancellationToken cancellationToken)
    {
        var options = cluster.Options;
        List<(IProbe Probe, ProbeTask Task)> runs =
        [
            .. catalog.Where(probe => (options.Only.Count == 0 || options.Only.Contains(probe.Id)) && !options.Skip.Contains(probe.Id))
                .SelectMany(probe => probe.Tasks(cluster).Select(task => (probe, task))),
        ];
        var results = new ProbeResult?[runs.Count];
        using var places = new SemaphoreSlim(Math.Max(1, options.Parallel));
        await Task.WhenAll(runs.Select(async (run, at) =>
        {
            if (!run.Probe.IsExclusive)
            {
                await places.WaitAsync(cancellationToken);
                try
                {
                    results[at] = await RunOneAsync(run.Probe, run.Task, cluster.Time, progress, cancellationToken);
                }
                finally
                {
                    places.Release();
                }
            }
        }));
        for (var at = 0; at < runs.Count; at++)
        {
            results[at] ??= await RunOneAsync(runs[at].Probe, runs[at].Task, cluster.Time, progress, cancellationToken);
        }
        return new VerifyReport([.. results.Select(result => result!)]);
    }

    private static async Task<ProbeResult> RunOneAsync(IProbe probe, ProbeTask task, TimeProvider time, IProgress<ProbeEvent>? progress, CancellationToken cancellationToken)
    {
        progress?.Report(new ProbeEvent(probe.Id, probe.Title, task.Target, null));
        var start = time.GetTimestamp();
        using var deadline = new CancellationTokenSource(probe.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        ProbeAnswer answer;
        try
        {
            answer = await task.RunAsync(both.Token);
        }
        catch (AccessUnsupportedException exception)
        {
            answer = ProbeAnswer.Unsupported(exception.Message);
        }
        catch (ContainerException exception)
        {
            answer = ProbeAnswer.Inconclusive(exception.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            answer = ProbeAnswer.Inconclusive($"no answer within {probe.Timeout.TotalSeconds:0} s.");
        }
        catch (HttpRequestException exception)
        {
            answer = ProbeAnswer.Inconclusive($"cannot be asked: {exception.GetBaseException().Message}");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The edge of a probe: a defect here must neither end the others nor look like a pass.
            answer = ProbeAnswer.Inconclusive($"the probe itself failed: {exception.GetType().Name}: {exception.Message}");
        }
        var result = new ProbeResult(probe.Id, probe.Title, task.Target, answer.Verdict, SecretMask.Apply(answer.Text), answer.Fix, time.GetElapsedTime(start));
        progress?.Report(new ProbeEvent(probe.Id, probe.Title, task.Target, result));
        return result;
    }
}
