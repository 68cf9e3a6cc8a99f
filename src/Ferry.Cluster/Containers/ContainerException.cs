namespace Ferry.Cluster.Containers;

/// <summary>A container, pod or engine could not be asked. The message says which, why, and what to do; it holds no secret.</summary>
public sealed class ContainerException : Exception
{
    public ContainerException(string message)
        : base(message)
    {
    }

    public ContainerException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
