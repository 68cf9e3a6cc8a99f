namespace Ferry.Router;

/// <summary>One upstream server, from configuration and discovery only: no request can name another. It outlives reloads, with its counters.</summary>
public sealed class Node(Uri address, NodeRole role)
{
    private int _running;
    private long _queuedTokens;

    public Uri Address { get; } = address;

    public NodeRole Role { get; } = role;

    /// <summary>host:port, for headers, metrics and logs.</summary>
    public string Name { get; } = address.Authority;

    /// <summary>Legs of this router that the node is working on.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Prompt tokens of legs that have had no first byte yet.</summary>
    public long QueuedTokens => Volatile.Read(ref _queuedTokens);

    public Uri At(string path) => new(Address, path);

    internal void Begin(long promptTokens)
    {
        Interlocked.Increment(ref _running);
        Interlocked.Add(ref _queuedTokens, promptTokens);
    }

    internal void PromptDone(long promptTokens) => Interlocked.Add(ref _queuedTokens, -promptTokens);

    internal void End() => Interlocked.Decrement(ref _running);
}
