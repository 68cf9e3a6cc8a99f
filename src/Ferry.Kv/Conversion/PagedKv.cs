namespace Ferry.Kv.Conversion;

/// <summary>A sequence's KV in the blocks of one rank's pool.</summary>
/// <remarks>
/// The pool is the payload of a layout whose tokens are all tokens of all blocks, so that block b holds the tokens from b * BlockTokens on.
/// Whoever makes one keeps the memory in place and alive until the call that takes it has returned.
/// </remarks>
/// <param name="Address">First byte of the pool; not moved by a collection (native or pinned).</param>
/// <param name="Bytes">Exactly the pool layout's <see cref="Layout.KvLayout.PayloadBytes"/>.</param>
/// <param name="Blocks">Block indices in order of position; empty when the sequence has blocks 0, 1, 2 and so on.</param>
public readonly record struct PagedKv(nint Address, long Bytes, ReadOnlyMemory<int> Blocks)
{
    internal static int BlockAt(ReadOnlySpan<int> blocks, int index) => blocks.IsEmpty ? index : blocks[index];
}
