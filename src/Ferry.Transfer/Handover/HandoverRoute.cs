namespace Ferry.Transfer.Handover;

/// <summary>How a hand-over gets from the owner's blocks into the reader's.</summary>
public enum HandoverRoute : byte
{
    /// <summary>From block to block: both sides agree in everything but how many blocks they have.</summary>
    Direct = 1,

    /// <summary>The owner's blocks as they lie, converted by the reader on arrival. The owner's processor does nothing.</summary>
    ReaderConverts = 2,

    /// <summary>The owner packs what the reader wants, in the reader's layout; the reader deals it out to its blocks.</summary>
    WriterConverts = 3,

    /// <summary>The reader converts straight out of the owner's blocks, which lie mapped in its process (one host). The owner's processor does nothing.</summary>
    InPlace = 4,
}
