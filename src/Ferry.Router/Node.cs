namespace Ferry.Router;

/// <summary>One upstream server, from configuration only: no request can name another.</summary>
public sealed class Node(Uri address, NodeRole role)
{
    public Uri Address { get; } = address;

    public NodeRole Role { get; } = role;

    /// <summary>host:port, for headers, metrics and logs.</summary>
    public string Name { get; } = address.Authority;

    public Uri At(string path) => new(Address, path);
}
