namespace Ferry.Transfer;

/// <summary>How the bytes of one peer travel, and why so.</summary>
/// <param name="Name">Such as <c>tcp</c>, <c>shm</c>, <c>ucx</c>.</param>
/// <param name="Reason">For people: what was found, or why better media do not reach the peer.</param>
public sealed record MediumChoice(string Name, string Reason)
{
    public override string ToString() => $"{Name} ({Reason})";
}
