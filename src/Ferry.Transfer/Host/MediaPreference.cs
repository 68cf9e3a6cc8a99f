namespace Ferry.Transfer.Host;

/// <summary>Whether UCX carries bytes where Ferry's own media could too.</summary>
public enum MediaPreference
{
    /// <summary>UCX where it brings RDMA or an accelerator, else Ferry's own: over tcp and shared memory those are faster.</summary>
    Auto,

    /// <summary>UCX first, for what UCX_TLS names.</summary>
    Ucx,

    /// <summary>Ferry's own only; UCX is not loaded.</summary>
    Managed,
}
