namespace Ferry.Transfer.Handover;

/// <summary>A part of a request that travels in one slot.</summary>
/// <param name="FirstToken">Position in the sequence.</param>
internal readonly record struct HandoverWindow(int FirstLayer, int Layers, int FirstToken, int Tokens)
{
    public int EndToken => FirstToken + Tokens;
}
