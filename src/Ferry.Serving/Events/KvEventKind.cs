namespace Ferry.Serving.Events;

internal enum KvEventKind
{
    Stored,
    Removed,
    Cleared,
}
