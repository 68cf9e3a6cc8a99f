namespace Ferry.Transfer.InProcess;

/// <summary>What befalls one message.</summary>
/// <param name="CorruptBit">The bit that flips, modulo the message's bits; null for none.</param>
internal readonly record struct MessageFate(bool IsDropped, bool IsDuplicated, TimeSpan Delay, ulong? CorruptBit);
