namespace Ferry.Cluster.Reading;

/// <summary>Kinds of values that a key takes.</summary>
internal enum SpecValueKind
{
    Text,
    Integer,
    Real,
    Boolean,
    Bytes,
    Rate,
    Choice,
    Record,
    List,
    Map,
}
