using System.Globalization;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Verification.Access;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>The file system of each disk tier has room for what the tier may hold; ranks have room in /dev/shm.</summary>
internal sealed class DiskSpaceProbe : IProbe
{
    private const string SharedMemory = "/dev/shm";

    /// <summary>Ranks of one engine talk through it; Docker's default of 64 MiB ends a tensor-parallel engine.</summary>
    private const long SharedMemoryBytesMin = 1L << 30;

    public string Id => "disk";

    public string Title => "disk tiers and shared memory have their room";

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster)
    {
        foreach (var target in cluster.Targets)
        {
            var cache = target.Pool is { } pool ? cluster.Spec.CacheOf(pool) : cluster.Spec.Cache;
            if (cache.DiskBytes > 0 && target.Planned.Mounts.FirstOrDefault(mount => mount.Name == "cache") is { } mount)
            {
                yield return new ProbeTask($"{target.Name} {mount.ContainerPath}", token => TierAsync(target, mount.ContainerPath, cache.DiskBytes, token));
            }
            if (target.Planned.Kind == PlannedKind.Engine && target.Pool!.Engine.Kind == EngineKind.Vllm && target.Pool.TensorParallel > 1)
            {
                yield return new ProbeTask($"{target.Name} {SharedMemory}", token => SharedMemoryAsync(target, token));
            }
        }
    }

    private static async Task<ProbeAnswer> TierAsync(VerifyTarget target, string path, long tierBytes, CancellationToken cancellationToken)
    {
        var (space, problem) = await SpaceAsync(target, path, cancellationToken);
        if (space is not var (size, free))
        {
            return ProbeAnswer.Inconclusive(problem);
        }
        var used = await target.Access.RunToolAsync(["du", "-sk", path], cancellationToken);
        var own = used.IsOk && long.TryParse(used.Output.Split('\t', ' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var kib) ? kib << 10 : 0;
        var text = $"{ByteSize.Format(free)} free of {ByteSize.Format(size)}, {ByteSize.Format(own)} used by the tier, which may hold {ByteSize.Format(tierBytes)}";
        return free + own >= tierBytes
            ? ProbeAnswer.Pass(text)
            : ProbeAnswer.Violation($"{text}: it does not fit.", "Lower cache.disk, delete what others left there, or give the tier a larger volume.");
    }

    private static async Task<ProbeAnswer> SharedMemoryAsync(VerifyTarget target, CancellationToken cancellationToken)
    {
        var (space, problem) = await SpaceAsync(target, SharedMemory, cancellationToken);
        return space is not var (size, _) ? ProbeAnswer.Inconclusive(problem)
            : size >= SharedMemoryBytesMin ? ProbeAnswer.Pass($"{ByteSize.Format(size)}")
            : ProbeAnswer.Violation($"{ByteSize.Format(size)}; {target.Pool!.TensorParallel} ranks need at least {ByteSize.Format(SharedMemoryBytesMin)}.", "docker run --ipc=host, or --shm-size 16g.");
    }

    private static async Task<((long Size, long Free)? Space, string Problem)> SpaceAsync(VerifyTarget target, string path, CancellationToken cancellationToken)
    {
        var result = await target.Access.RunToolAsync(["df", "-Pk", path], cancellationToken);
        return ParseDf(result.Output) is { } space ? (space, "") : (null, $"df {path}: {HttpAnswers.Shorten(result.Error.Length > 0 ? result.Error : result.Output)}");
    }

    /// <summary>The second line of <c>df -Pk</c>: file system, KiB, used, available, share, mount.</summary>
    internal static (long Size, long Free)? ParseDf(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var fields = lines.Length > 1 ? lines[1].Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
        return fields.Length >= 6 && long.TryParse(fields[^5], NumberStyles.None, CultureInfo.InvariantCulture, out var size) && long.TryParse(fields[^3], NumberStyles.None, CultureInfo.InvariantCulture, out var free)
            ? (size << 10, free << 10)
            : null;
    }
}
