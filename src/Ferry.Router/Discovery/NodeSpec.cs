namespace Ferry.Router.Discovery;

/// <summary>A node as configuration or discovery names it. Immutable; the counters belong to <see cref="Node"/>.</summary>
public sealed record NodeSpec(Uri Address)
{
    /// <summary>Share of the load; 2 takes twice what 1 takes.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Where the engine publishes KV events (ZMQ PUB), for example tcp://10.0.0.1:5557; null: as prefix.eventsPort says.</summary>
    public string? KvEvents { get; init; }

    /// <summary>Where missed KV events can be asked for (ZMQ ROUTER); null: as prefix.replayPort says.</summary>
    public string? KvReplay { get; init; }

    /// <summary>The engine's NIXL side channel, for example tcp://10.0.0.1:5600; null: as health.sideChannelPort says.</summary>
    public string? SideChannel { get; init; }

    /// <summary>Discovery says that the node is going away: it ends what it has and gets nothing new.</summary>
    public bool IsLeaving { get; init; }

    public static implicit operator NodeSpec(Uri address) => new(address);
}
