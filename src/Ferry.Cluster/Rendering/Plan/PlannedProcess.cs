using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Plan;

/// <summary>One container: everything that the writers print.</summary>
public sealed record PlannedProcess
{
    /// <summary>Unique in the cluster: container name, host name, name of the Kubernetes workload.</summary>
    public required string Name { get; init; }

    public required PlannedKind Kind { get; init; }

    /// <summary>What it does in this cluster; one line.</summary>
    public required string Purpose { get; init; }

    public required string Image { get; init; }

    /// <summary>The program: replaces whatever the image starts.</summary>
    public required string Program { get; init; }

    public required IReadOnlyList<PlannedArgument> Arguments { get; init; }

    public IReadOnlyList<PlannedVariable> Environment { get; init; } = [];

    public IReadOnlyList<PlannedFile> Files { get; init; } = [];

    public IReadOnlyList<PlannedMount> Mounts { get; init; } = [];

    public IReadOnlyList<PlannedPort> Ports { get; init; } = [];

    public PlannedHardware Hardware { get; init; } = PlannedHardware.None;

    public required PlannedProbe Health { get; init; }

    /// <summary>Port whose <c>/metrics</c> Prometheus reads.</summary>
    public required int MetricsPort { get; init; }

    /// <summary>Secret that the metrics port asks for as a bearer token; null: none.</summary>
    public PlannedSecret? MetricsToken { get; init; }

    /// <summary>Memory that the container may take; null: no limit.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Memory that it needs at least; null: unknown.</summary>
    public long? MemoryNeedBytes { get; init; }

    /// <summary>Time between the request to stop and the end by force.</summary>
    public required TimeSpan StopsWithin { get; init; }

    /// <summary>True for Ferry's own image: it needs no root, no writable root file system and no capability.</summary>
    public bool IsFerry { get; init; }

    /// <summary>In Kubernetes: name of the process whose pod must run on the same machine; null: none.</summary>
    public string? Beside { get; init; }

    /// <summary>What an engine does for a request; null for other processes.</summary>
    public PoolRole? Role { get; init; }

    /// <summary>All secrets that it reads.</summary>
    public IEnumerable<PlannedSecret> Secrets => Environment.Select(variable => variable.Secret).OfType<PlannedSecret>().Distinct();
}
