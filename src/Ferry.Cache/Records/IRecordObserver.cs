namespace Ferry.Cache.Records;

/// <summary>Told of every chunk that enters or leaves the memory. Called under the store's lock: quick, and without calling back.</summary>
public interface IRecordObserver
{
    /// <summary>A record is visible from now on.</summary>
    void Stored(in ChunkEvent stored);

    /// <summary>A chunk is gone, or one record of it.</summary>
    void Left(in ChunkEvent left, Eviction.EvictionReason reason);
}
