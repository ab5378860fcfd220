import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.parties.fold import shape, skeleton, words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Łódź Ørsted Straße", ("lodz", "orsted", "strasse")),
        ("S.A. de C.V.", ("sa", "de", "cv")),
        ("Møller A/S", ("moller", "as")),
        ("AL-QA'IDA", ("al", "qaida")),
        ("Владимир Щукин", ("vladimir", "shchukin")),
        ("МАRIЕ", ("marie",)),  # Cyrillic lookalikes in a Latin word
        ("中国远洋", ("zhong", "guo", "yuan", "yang")),
        ("محمد الرشيدي", ("mhmd", "al", "rshydy")),
        ("M0RRI5ON", ("morrison",)),
        ("KARIM 1110", ("karim", "1110")),
        ("\u200b", ()),
        ("", ()),
    ],
)
def test_words(text, said):
    assert words(text) == said


def test_spellings_of_one_sound_share_a_skeleton():
    assert len({skeleton(word) for word in ("muhammad", "mohammed", "mohamed", "mhmd")}) == 1
    assert len({skeleton(word) for word in ("khalid", "halid", "khaled")}) == 1
    assert skeleton("garcia") != skeleton("gomez")
    assert skeleton("1110") == "1110"


def test_a_scanned_word_has_the_shape_of_what_was_printed():
    assert shape("hamden") == shape("harnden")
    assert shape("clark") == shape("dark")


@given(st.text(max_size=60))
def test_folding_gives_plain_words_and_folds_no_further(text):
    said = words(text)
    assert all(word.isascii() and word.isalnum() and word == word.lower() for word in said)
    assert words(" ".join(said)) == said
