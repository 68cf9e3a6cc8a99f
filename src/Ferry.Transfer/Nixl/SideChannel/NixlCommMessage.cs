namespace Ferry.Transfer.Nixl.SideChannel;

/// <summary>One frame.</summary>
/// <param name="Body">Of <see cref="NixlCommCommand.Load"/> a metadata blob, of <see cref="NixlCommCommand.Invalidate"/> a name, else empty.</param>
internal readonly record struct NixlCommMessage(NixlCommCommand Command, ReadOnlyMemory<byte> Body);
