namespace Ferry.Interleaving;

/// <summary>Unwinds the other threads of a schedule once one has failed.</summary>
internal sealed class ScheduleCalledOffException : Exception;
