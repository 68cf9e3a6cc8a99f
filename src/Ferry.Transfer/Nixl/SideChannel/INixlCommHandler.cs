namespace Ferry.Transfer.Nixl.SideChannel;

/// <summary>What NIXL's side channel tells an agent and asks of it. Called from any thread; must not throw.</summary>
public interface INixlCommHandler
{
    /// <summary>The own metadata blob, as it is now.</summary>
    ReadOnlyMemory<byte> LocalMetadata { get; }

    /// <summary>Another agent has sent its metadata.</summary>
    void Loaded(NixlMetadata metadata);

    /// <summary>Another agent goes: its metadata is of no more use.</summary>
    void Invalidated(string agentName);
}
