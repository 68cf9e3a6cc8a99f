namespace Ferry.Cluster.Verification;

/// <summary>The way to the processes of a cluster.</summary>
public enum VerifyAccess
{
    /// <summary>Containers, by each node's Docker engine.</summary>
    Docker = 1,

    /// <summary>Pods, by the API server.</summary>
    Kubernetes = 2,

    /// <summary>Processes of this machine, by the ports they listen on.</summary>
    Local = 3,

    /// <summary>HTTP and the wire only: what is inside a node is unsupported.</summary>
    Http = 4,
}
