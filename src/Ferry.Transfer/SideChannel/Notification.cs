namespace Ferry.Transfer.SideChannel;

/// <summary>Bounds of what one owner tells another beside transfers.</summary>
public static class Notification
{
    /// <summary>vLLM's are request ids of under 200 bytes; a list of block ids for a long prompt has some KiB.</summary>
    public const int BytesMax = 64 << 10;
}
