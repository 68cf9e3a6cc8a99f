namespace Ferry.Transfer.Nixl.SideChannel;

/// <summary>What a frame of NIXL's own side channel asks for.</summary>
internal enum NixlCommCommand
{
    /// <summary>Send me your metadata.</summary>
    Send,

    /// <summary>Here is my metadata.</summary>
    Load,

    /// <summary>Forget the agent of this name: me.</summary>
    Invalidate,
}
