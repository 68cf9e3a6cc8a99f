namespace Ferry.Serving.Events;

/// <summary>Where and how KV events are published. Names, defaults and meaning are those of vLLM's <c>KVEventsConfig</c>.</summary>
public sealed record KvEventsOptions
{
    /// <summary>Where subscribers connect (ZMQ PUB): <c>tcp://HOST:PORT</c>, <c>*</c> for every address.</summary>
    public string Endpoint { get; init; } = "tcp://*:5557";

    /// <summary>Where what was missed can be asked for (ZMQ ROUTER); null for nowhere.</summary>
    public string? ReplayEndpoint { get; init; }

    public string Topic { get; init; } = "";

    /// <summary>Batches kept for replay.</summary>
    public int BufferSteps { get; init; } = 10_000;

    /// <summary>Messages that wait for one slow subscriber; later ones are lost to it, and their numbers tell it so.</summary>
    public int HighWater { get; init; } = 100_000;

    /// <summary>Events that wait to be published; when there are more, all is declared unknown instead.</summary>
    public int QueueMax { get; init; } = 100_000;
}
