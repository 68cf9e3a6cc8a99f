namespace Ferry.Router.Discovery;

/// <summary>Something that knows nodes and notices when they come and go.</summary>
internal interface INodeSource
{
    /// <summary>For logs and /admin/state.</summary>
    string Name { get; }

    /// <summary>Looks once, or watches for a while, and hands over what it found.</summary>
    /// <returns>When to look again.</returns>
    /// <exception cref="NodeSourceException">It cannot say now; what it said last stays.</exception>
    Task<TimeSpan> LookAsync(Action<NodeLists> found, CancellationToken cancellationToken);
}
